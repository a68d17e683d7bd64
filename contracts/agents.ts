import { z } from 'zod';

import { AgentId, UserId } from './ids.ts';
import { JsonMap } from './json.ts';
import { defineOperation } from './operation.ts';
import { NextCursor, pageFields } from './paging.ts';
import { EntityType, Role } from './principal.ts';
import { Timestamp } from './time.ts';

export const AgentView = z.object({
  id: AgentId,
  name: z.string(),
  role: Role,
  acts_for: UserId.nullable(),
  skills: z.array(z.string()),
  capacity: z.number(),
  version: z.string(),
  status: z.enum(['online', 'draining', 'offline']),
  last_seen_at: Timestamp.nullable(),
});
export type AgentView = z.infer<typeof AgentView>;

export const heartbeat = defineOperation({
  name: 'heartbeat',
  method: 'post',
  path: '/agents/me/heartbeat',
  summary: 'Say that you are there; tasks that wait for your role are then offered to you.',
  input: z.strictObject({
    status: z.enum(['online', 'draining', 'offline']).default('online'),
    skills: z.array(z.string().min(1).max(100)).max(50).optional().describe('Your skills; unchanged unless given'),
    capacity: z.number().int().min(1).max(1_000).optional().describe('Tasks that you can hold at once'),
    version: z
      .string()
      .regex(/^\d+\.\d+\.\d+$/, 'must be a semantic version, e.g. 1.4.0')
      .optional(),
  }),
  output: AgentView,
  action: 'agent:heartbeat',
  errors: ['forbidden'],
});

export const listDirectory = defineOperation({
  name: 'list_directory',
  method: 'get',
  path: '/directory',
  summary: 'Who there is: people and agents of the organisation with their roles.',
  input: z.strictObject({ role: Role.optional() }),
  output: z.object({
    users: z.array(
      z.object({ id: UserId, name: z.string(), role: Role, manager_id: UserId.nullable(), department: z.string() }),
    ),
    agents: z.array(AgentView),
  }),
  action: 'directory:read',
});

export const whoAmI = defineOperation({
  name: 'who_am_i',
  method: 'get',
  path: '/me',
  summary: 'Who the key in use belongs to.',
  input: z.strictObject({}),
  output: z.object({
    id: z.string(),
    kind: z.string(),
    name: z.string(),
    role: Role,
    acts_for: z.string().nullable(),
    administrator: z.boolean(),
    clearance: z.array(EntityType),
    organisation_id: z.string(),
  }),
  action: 'profile:read',
});

const Version = z.string().regex(/^\d+\.\d+\.\d+$/, 'must be a semantic version, e.g. 1.4.0');
const Skills = z.array(z.string().min(1).max(100)).max(50);
const Schema = JsonMap.meta({ type: 'object' });

/** What an agent can do, as the hub's clients describe it (COMPAT-3). */
export const Capability = z.strictObject({
  name: z.string().min(1).max(100),
  description: z.string().max(1_000).nullable().optional(),
  inputSchema: Schema.optional().describe('JSON schema of the input'),
  outputSchema: Schema.optional().describe('JSON schema of the output'),
});

/** What agents are registered with, and may be changed later. */
const changeable = {
  skills: Skills.optional(),
  capacity: z.number().int().min(1).max(1_000).optional().describe('Tasks that it can hold at once'),
  version: Version.optional(),
  rollout_weight: z.number().int().min(0).max(1_000).optional().describe('Share of the work that its version gets'),
  description: z.string().max(1_000).nullable().optional(),
  entryPath: z.string().min(1).max(500).optional().describe('Where its program is; for clients of the hub'),
  riskLevel: z.enum(['AUTO', 'APPROVAL_REQUIRED']).optional().describe('Whether what it does needs an approval'),
};
const ClientId = z
  .string()
  .regex(/^[\x21-\x7e]{1,200}$/, 'must be the id of a client')
  .describe('Client of the OpenID provider as which it signs in for itself (client credentials)');

/** An agent as the registry knows it, with the names that clients of the hub read. */
export const RegisteredAgent = AgentView.extend({
  owner: UserId.nullable().describe('The person who answers for it'),
  client_id: z.string().nullable().describe('Client of the OpenID provider as which it signs in'),
  drained: z.boolean().describe('Takes no new work until it is let'),
  rollout_weight: z.number(),
  projectId: z.number().nullable(),
  type: z.string().nullable(),
  riskLevel: z.string().nullable(),
  entryPath: z.string().nullable(),
  description: z.string().nullable(),
  capabilities: z.array(Capability),
  registeredAt: Timestamp,
  updatedAt: Timestamp,
});
export type RegisteredAgent = z.infer<typeof RegisteredAgent>;

export const registerAgent = defineOperation({
  name: 'register_agent',
  method: 'post',
  path: '/agents',
  summary: 'Register an agent, and the client of the OpenID provider as which it signs in.',
  description:
    'Administrators register any agent, people those that act for themselves. Where development keys are on, its key is answered, once.',
  input: z.strictObject({
    ...changeable,
    client_id: ClientId.optional(),
    name: z.string().min(1).max(100).describe('Unique in the organisation'),
    role: Role.optional().describe('The role it works for; yours unless given'),
    acts_for: UserId.nullable().optional().describe('The person it acts for; null for the whole role'),
    owner: UserId.optional().describe('The person who answers for it; you unless given'),
    projectId: z.number().int().min(0).max(2_147_483_647).optional().describe('Project of the hub'),
    type: z.enum(['LLM', 'RULE', 'API', 'SCRIPT']).optional(),
    capabilities: z.array(Capability).max(50).optional(),
  }),
  output: RegisteredAgent.extend({
    key: z
      .string()
      .optional()
      .describe('Development key of the agent, where these are on; it is not kept and not shown again'),
    sign_in: z.string().describe('How the agent gets in'),
  }),
  action: 'agent:register',
  status: 201,
  errors: ['forbidden', 'unknown_target', 'directory_conflict'],
});

export const listRegistry = defineOperation({
  name: 'list_agents',
  method: 'get',
  path: '/agents',
  summary: 'Agents of the organisation, by role, skill and state.',
  input: z.strictObject({
    ...pageFields,
    role: Role.optional(),
    skill: z.string().min(1).max(100).optional().describe('Only those that have this skill'),
    status: z.enum(['online', 'draining', 'offline']).optional(),
    projectId: z.coerce.number().int().min(0).max(2_147_483_647).optional().describe('Project of the hub'),
  }),
  output: z.object({ agents: z.array(RegisteredAgent), next_cursor: NextCursor }),
  bareList: 'agents',
  action: 'directory:read',
  errors: ['forbidden'],
});

const oneAgent = { id: AgentId };

export const getAgent = defineOperation({
  name: 'get_agent',
  method: 'get',
  path: '/agents/{id}',
  summary: 'One agent.',
  input: z.strictObject(oneAgent),
  output: RegisteredAgent,
  action: 'directory:read',
  errors: ['forbidden', 'not_found'],
});

export const updateAgent = defineOperation({
  name: 'update_agent',
  method: 'put',
  path: '/agents/{id}',
  summary: 'Change what an agent is registered with.',
  description: 'The client of an agent of a whole role is changed by administrators alone.',
  input: z.strictObject({
    ...oneAgent,
    ...changeable,
    client_id: ClientId.nullable().optional().describe('Client as which it signs in from now on; null: none'),
  }),
  output: RegisteredAgent,
  action: 'agent:manage',
  errors: ['forbidden', 'not_found', 'directory_conflict'],
});

export const drainAgent = defineOperation({
  name: 'drain_agent',
  method: 'post',
  path: '/agents/{id}/drain',
  summary: 'Give an agent no new work; what it holds it finishes.',
  input: z.strictObject({ ...oneAgent, drain: z.boolean().default(true).describe('false gives it work again') }),
  output: RegisteredAgent,
  action: 'agent:manage',
  errors: ['forbidden', 'not_found'],
});

export const removeAgent = defineOperation({
  name: 'remove_agent',
  method: 'delete',
  path: '/agents/{id}',
  summary: 'Remove an agent: its client and keys end, and what it holds goes back to its queue.',
  input: z.strictObject(oneAgent),
  output: z.object({ id: AgentId, removed: z.boolean() }),
  action: 'agent:manage',
  errors: ['forbidden', 'not_found'],
});
