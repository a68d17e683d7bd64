import { z } from 'zod';

/** The eight roles that profiles exist for; a role is assigned by an administrator, never chosen. */
export const ROLES = ['analyst', 'developer', 'finance', 'hr', 'legal', 'manager', 'marketing', 'support'] as const;
export const Role = z.enum(ROLES).describe('A role of the organisation, e.g. finance');
export type Role = z.infer<typeof Role>;

/** The kinds of personal value that are recognised and pseudonymised. */
export const ENTITY_TYPES = ['email', 'phone', 'card', 'iban', 'ssn'] as const;
export const EntityType = z.enum(ENTITY_TYPES).describe('A kind of personal value, e.g. iban');
export type EntityType = z.infer<typeof EntityType>;

/** Who is calling: the subject of every policy decision and the actor of every audit event. */
export const Principal = z.object({
  organisation_id: z.string().describe('The tenant; everything the caller can reach belongs to it'),
  kind: z.enum(['user', 'agent', 'service']).describe('A person, a running assistant, or the system itself'),
  id: z.string().describe('user_… or agent_… id'),
  name: z.string().describe('Readable name for timelines'),
  role: Role,
  profile: Role.optional().describe(
    'The role whose profile an administrator assigned to the caller; absent where that is the one of its own role',
  ),
  acts_for: z
    .string()
    .nullable()
    .describe('The user an agent acts for; null for people and for agents of a whole role'),
  administrator: z.boolean().describe('May administer the organisation'),
  clearance: z.array(EntityType).describe('Kinds of personal value this caller may see in clear'),
  via: z
    .array(z.string().max(200))
    .max(5)
    .optional()
    .describe('Who stands between, where rights were passed on by token exchange: the last one first'),
  scopes: z.array(z.string()).optional().describe('What the access token is limited to; absent where it is not'),
});
export type Principal = z.infer<typeof Principal>;
