import { z } from 'zod';

import { UserId } from './ids.ts';
import { Role } from './principal.ts';

/** A condition on the subject: a number or text at a dotted path of {action, evidence}. */
export const Condition = z
  .strictObject({
    path: z
      .string()
      .regex(/^(action|evidence)(\.[\w-]+){1,8}$/, 'must start with action. or evidence., e.g. action.arguments.amount')
      .describe('Where to look, e.g. action.arguments.amount'),
    over: z.number().optional().describe('True where the number is greater'),
    up_to: z.number().optional().describe('True where the number is not greater'),
    equals: z
      .union([z.string().meta({ pattern: '^[^\\u0000]*$' }), z.number(), z.boolean()])
      .optional()
      .describe('True where the value is the same'),
  })
  .refine((rule) => rule.over !== undefined || rule.up_to !== undefined || rule.equals !== undefined, {
    error: 'needs over, up_to or equals',
  })
  .meta({ anyOf: ['over', 'up_to', 'equals'].map((name) => ({ required: [name] })) });
export type Condition = z.infer<typeof Condition>;

const when = { when: Condition.optional().describe('Needed only where this holds for the subject') };
const Selector = z.union([
  z.strictObject({ role: Role, ...when }),
  z.strictObject({ user: UserId, ...when }),
  z.strictObject({ manager_of: UserId, ...when }),
]);
export type Selector = z.infer<typeof Selector>;

/** Who must approve: one of some, all of some, n of some, nested over roles, users and managers (APPR-2). */
export type ApprovalPolicy =
  | Selector
  | { any_of: ApprovalPolicy[]; when?: Condition | undefined }
  | { all_of: ApprovalPolicy[]; when?: Condition | undefined }
  | { n: number; of: Selector[]; when?: Condition | undefined };

export const ApprovalPolicy: z.ZodType<ApprovalPolicy> = z
  .lazy(() =>
    z.union([
      Selector,
      z.strictObject({ any_of: z.array(ApprovalPolicy).min(1).max(20), ...when }),
      z.strictObject({ all_of: z.array(ApprovalPolicy).min(1).max(20), ...when }),
      z.strictObject({ n: z.number().int().min(1).max(20), of: z.array(Selector).min(1).max(20), ...when }),
    ]),
  )
  .meta({
    id: 'ApprovalPolicy',
    description:
      '{role} | {user} | {manager_of} | {any_of: […]} | {all_of: […]} | {n, of: […]}, each with an optional `when`',
  });

/** A policy after its roles and managers were looked up: `need` distinct people of `users`, or of what is nested. */
export type Requirement =
  | { readonly label: string; readonly need: number; readonly users: readonly string[] }
  | { readonly label: string; readonly need: number; readonly parts: readonly Requirement[] };
