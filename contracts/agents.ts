import { z } from 'zod';

import { AgentId, UserId } from './ids.ts';
import { defineOperation } from './operation.ts';
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
