import { z } from 'zod';

import { JsonMap } from './json.ts';
import { defineOperation } from './operation.ts';
import { EntityType, Role } from './principal.ts';
import { Timestamp } from './time.ts';

const PolicyText = z
  .string()
  .max(64 * 1024)
  .describe('Cedar policies with annotations @id and @why; forbid only, since an organisation can only narrow');

/** What an organisation adds to the policies of the release. */
export const OrganisationPolicies = z.object({
  version: z.number().int().describe('Counts every change; 0 where nothing was ever added'),
  policies: z.string().describe('Cedar text in force'),
  digest: z.string().nullable().describe('sha256:… of the text'),
  created_by: z.string().nullable(),
  created_at: Timestamp.nullable(),
});
export type OrganisationPolicies = z.infer<typeof OrganisationPolicies>;

export const getOrganisationPolicies = defineOperation({
  name: 'get_organisation_policies',
  method: 'get',
  path: '/policy/organisation',
  summary: 'What your organisation forbids beyond the policies of the release.',
  input: z.strictObject({}),
  output: OrganisationPolicies,
  action: 'policy:manage',
  errors: ['forbidden'],
});

export const setOrganisationPolicies = defineOperation({
  name: 'set_organisation_policies',
  method: 'put',
  path: '/policy/organisation',
  summary: 'Replace what your organisation forbids; in force everywhere within two seconds.',
  description: 'With dry_run it is checked as it would be, and nothing is stored.',
  input: z.strictObject({
    policies: PolicyText,
    dry_run: z.boolean().default(false).describe('Only check'),
    expected_version: z
      .number()
      .int()
      .min(0)
      .optional()
      .describe('Change only this version: refused where somebody else was quicker'),
  }),
  output: OrganisationPolicies.extend({
    dry_run: z.boolean(),
    ids: z.array(z.string()).describe('Under these ids refusals and the record will quote them'),
  }),
  action: 'policy:manage',
  errors: ['forbidden', 'invalid_input', 'version_conflict'],
});

const Tags = z.array(z.string().min(1).max(100)).max(100);

/** A thing that is asked about without naming one: its kind and what policy looks at. */
const DescribedResource = z.strictObject({
  kind: z.enum([
    'task',
    'approval',
    'session',
    'shard',
    'notification',
    'organisation',
    'profile',
    'recipe',
    'agent',
    'sign_in',
    'model',
  ]),
  owners: Tags.optional(),
  assignees: Tags.optional(),
  managers: Tags.optional(),
  participants: Tags.optional(),
  readers: Tags.optional(),
  approvers: Tags.optional(),
  target_role: Role.optional(),
  agents_may_decide: z.boolean().optional(),
  data_classes: z.array(EntityType).optional(),
  model: z
    .strictObject({
      provider: z.string().min(1).max(100),
      model: z.string().min(1).max(100),
      local: z.boolean().default(false),
      data_classes: z.array(EntityType).default([]),
    })
    .optional()
    .describe('For the kind model: what would be called; limits are those of the profile'),
});

/** A condition of a policy, and whether it holds here. */
const Condition = z.object({ text: z.string(), holds: z.boolean() });

/** A policy with how it stands to the question. */
export const ExplainedPolicy = z.object({
  id: z.string(),
  effect: z.enum(['permit', 'forbid']),
  why: z.string().nullable().describe('Why there is such a policy'),
  text: z.string().describe('As it was written'),
  conditions: z.array(Condition).describe('Its conditions one by one; those that do not hold keep it from deciding'),
});
export type ExplainedPolicy = z.infer<typeof ExplainedPolicy>;

export const explainPolicy = defineOperation({
  name: 'explain_policy',
  method: 'post',
  path: '/policy/explain',
  summary: 'Why something is allowed or not: the decision, its policies, and what was looked at.',
  description: 'For yourself; for others, administrators only. Nothing is done and nobody is told.',
  input: z.strictObject({
    principal: z.string().min(1).max(100).optional().describe('Id of a user or agent; you unless given'),
    action: z.string().min(1).max(100).describe('e.g. task:claim'),
    resource: z
      .union([z.string().min(1).max(100), DescribedResource])
      .describe('Id of a task, approval, session or agent, the name of a role for its profile, or a description'),
  }),
  output: z.object({
    allow: z.boolean(),
    reason: z.string(),
    deciding: z.array(ExplainedPolicy),
    would_permit: z.array(ExplainedPolicy).describe('Where it is denied: policies that permit this action to some'),
    looked_at: JsonMap.meta({ type: 'object' }).describe('Attributes that these policies read, with their values'),
  }),
  action: 'policy:explain',
  errors: ['forbidden', 'not_found', 'invalid_input'],
});
