import { z } from 'zod';

import { ImportId, UserId } from './ids.ts';
import { defineOperation } from './operation.ts';
import { NextCursor, pageFields } from './paging.ts';
import { Role } from './principal.ts';
import { Timestamp } from './time.ts';

/** Where an org chart is wrong: line of the file and column, null where it is the whole row. */
export const ChartFaultView = z.object({
  row: z.number().describe('Line of the file, from 1'),
  column: z.string().nullable().describe('Name of the column; null where it is the whole row'),
  message: z.string(),
});

export const ImportView = z.object({
  id: ImportId,
  import_id: ImportId.describe('The same as id'),
  filename: z.string(),
  digest: z.string().describe('SHA-256 of the file, hexadecimal'),
  uploaded_by: z.string().describe('Who imported it: user_…, agent_… or the name of a service'),
  uploaded_at: Timestamp,
  status: z.enum(['pending', 'processing', 'complete', 'failed']),
  users_created: z.number(),
  users_updated: z.number(),
  users_deactivated: z.number(),
  users_reactivated: z.number(),
  users_unchanged: z.number(),
  fault_count: z.number(),
  reason: z.string().nullable().describe('Why a failed import changed nothing: an error code, or interrupted'),
  completed_at: Timestamp.nullable(),
  trace_id: z.string(),
});
export type ImportView = z.infer<typeof ImportView>;

/** What an import changes, or would change. */
export const ImportAnswer = ImportView.extend({
  import_id: ImportId.nullable().describe('null for a dry run, which is not kept'),
  id: ImportId.nullable(),
  dry_run: z.boolean(),
  refusal: z.string().nullable().describe('The error code that the import would be refused with; dry runs only'),
  diff: z
    .array(
      z.object({
        user_id: z.string().describe('The id of the file'),
        change: z.enum(['added', 'changed', 'deactivated', 'reactivated']),
        before: z.record(z.string(), z.unknown()).nullable().describe('Fields that change, as they are'),
        after: z.record(z.string(), z.unknown()).describe('The same as they become'),
      }),
    )
    .describe('The first 1,000 changes of a dry run'),
  diff_omitted: z.number().describe('How many changes are not listed'),
});
export type ImportAnswer = z.infer<typeof ImportAnswer>;

export const listOrgImports = defineOperation({
  name: 'list_org_imports',
  method: 'get',
  path: '/admin/org/imports',
  summary: 'Imports of the org chart, newest first.',
  input: z.strictObject(pageFields),
  output: z.object({ imports: z.array(ImportView), total: z.number(), next_cursor: NextCursor }),
  action: 'directory:manage',
  errors: ['forbidden'],
});

export const getOrgImport = defineOperation({
  name: 'get_org_import',
  method: 'get',
  path: '/admin/org/imports/{import_id}',
  summary: 'One import of the org chart, with its faults.',
  input: z.strictObject({ import_id: ImportId }),
  output: ImportView.extend({ faults: z.array(ChartFaultView) }),
  action: 'directory:manage',
  errors: ['forbidden', 'not_found'],
});

interface TreeNode {
  readonly id: string;
  readonly user_id: string;
  readonly name: string;
  readonly role: Role;
  readonly email: string;
  readonly department: string;
  readonly reports?: readonly TreeNode[] | undefined;
  readonly reports_omitted?: number | undefined;
}
/** A person and everybody below. */
export const OrgNode: z.ZodType<TreeNode> = z.object({
  id: UserId,
  user_id: z.string().describe("The organisation's own id"),
  name: z.string(),
  role: Role,
  email: z.string(),
  department: z.string(),
  get reports() {
    return z.array(OrgNode).optional().describe('Who reports to them; left out where nobody does');
  },
  reports_omitted: z.number().optional().describe('How many who report to them are not shown: ask for them with below'),
});
export type OrgNode = TreeNode;

export const getOrgTree = defineOperation({
  name: 'get_org_tree',
  method: 'get',
  path: '/admin/org/tree',
  summary: 'Active people, each below their manager.',
  description:
    'From the top, level by level, up to 10,000 people and 50 levels; whoever is below that has to be asked for.',
  input: z.strictObject({ below: UserId.optional().describe('Only this person and everybody below') }),
  output: z.object({
    tree: z.array(OrgNode),
    total_users: z.number().describe('Active people of the organisation'),
    omitted: z.number().describe('People who belong into this tree and are not shown'),
  }),
  action: 'directory:manage',
  errors: ['forbidden', 'not_found'],
});

export const UserView = z.object({
  id: UserId,
  user_id: z.string().describe("The organisation's own id"),
  employee_id: z.string().describe('The same as user_id, under the name that older clients read'),
  name: z.string(),
  email: z.string(),
  role: Role.nullable().describe('null until a role is assigned'),
  department: z.string(),
  title: z.string().nullable(),
  locale: z.string().nullable(),
  manager_id: UserId.nullable(),
  profile: Role.describe('The profile that is pushed to the agents of this person'),
  assigned_profile: Role.nullable().describe('Set where it is not the one of the role'),
  administrator: z.boolean(),
  status: z.enum(['active', 'inactive', 'awaiting_role']),
  source: z.string().describe('Where the person came from last: seed, csv, scim or manual'),
  deactivated_at: Timestamp.nullable(),
  updated_at: Timestamp,
  version: z.number(),
});
export type UserView = z.infer<typeof UserView>;

export const listOrgUsers = defineOperation({
  name: 'list_users',
  method: 'get',
  path: '/admin/users',
  summary: 'People of the organisation.',
  input: z.strictObject({
    ...pageFields,
    role: Role.optional(),
    department: z.string().min(1).max(100).optional(),
    status: z.enum(['active', 'inactive', 'awaiting_role']).optional(),
    q: z.string().min(1).max(100).optional().describe('Part of a name, an e-mail address or a user_id'),
  }),
  output: z.object({ users: z.array(UserView), next_cursor: NextCursor }),
  bareList: 'users',
  action: 'directory:manage',
  errors: ['forbidden'],
});

const oneUser = { id: UserId };

export const getOrgUser = defineOperation({
  name: 'get_user',
  method: 'get',
  path: '/admin/users/{id}',
  summary: 'One person.',
  input: z.strictObject(oneUser),
  output: UserView,
  action: 'directory:manage',
  errors: ['forbidden', 'not_found'],
});

export const assignUser = defineOperation({
  name: 'assign_user',
  method: 'put',
  path: '/admin/users/{id}',
  summary: 'Assign a role, a profile or the rights of an administrator.',
  description:
    'Administrators only, and nobody changes their own rights. Open work of somebody who gets another role moves on.',
  input: z.strictObject({
    ...oneUser,
    role: Role.optional(),
    profile: Role.nullable()
      .optional()
      .describe('The profile to push instead of the one of the role; null for that one'),
    administrator: z.boolean().optional(),
    version: z.number().int().optional().describe('The version you read; refused where it changed since'),
  }),
  output: UserView,
  action: 'directory:manage',
  errors: ['forbidden', 'not_found', 'last_administrator', 'version_conflict'],
});

export const assignProfile = defineOperation({
  name: 'assign_profile',
  method: 'post',
  path: '/admin/users/{user}/assign-profile',
  summary: 'Assign a profile, as older clients do.',
  input: z.strictObject({
    user: z.string().min(1).max(64).describe("The organisation's own id, or the id user_…"),
    profile: Role,
  }),
  output: z.object({ success: z.boolean(), error: z.string().nullable() }),
  action: 'directory:manage',
  errors: ['forbidden', 'not_found'],
});
