import { z } from 'zod';

import { Role, ROLES } from './principal.ts';
import type { Principal } from './principal.ts';

/** A principal as workflows and records keep it: ids only, no name. */
export const Actor = z.object({
  kind: z.enum(['user', 'agent', 'service']).describe('A person, an agent, or the system itself'),
  id: z.string().max(60).describe('user_…, agent_… or the name of the service'),
  role: Role.nullable().describe('Role at the time; null for the system'),
  profile: Role.optional().describe('The role whose profile held, where it was another'),
  acts_for: z.string().nullable().describe('The user an agent acted for'),
  administrator: z.boolean().default(false).describe('Was an administrator at the time'),
  via: z.array(z.string().max(200)).max(5).optional().describe('Who stood between, the last one first'),
});
export type Actor = z.infer<typeof Actor>;

/** The system itself, as actor of timers and reconciliation. */
export const SYSTEM: Actor = { kind: 'service', id: 'switchboard', role: null, acts_for: null, administrator: false };

/** The part of a principal that may enter a workflow. */
export const actorOf = (principal: Principal): Actor => ({
  kind: principal.kind,
  id: principal.id,
  role: principal.kind === 'service' ? null : principal.role,
  ...(principal.profile && { profile: principal.profile }),
  acts_for: principal.acts_for,
  administrator: principal.administrator,
  ...(principal.via && { via: principal.via }),
});

/** The tag under which rows and events are addressed to one actor. */
export const actorTag = (actor: Pick<Actor, 'kind' | 'id'>): string => `${actor.kind}:${actor.id}`;

const roles: readonly string[] = ROLES;

/** The tag of a role, agent or user that is named by its id, as targets and participants are. */
export const tagOf = (name: string): string =>
  roles.includes(name) ? `role:${name}` : actorTag({ kind: name.startsWith('agent_') ? 'agent' : 'user', id: name });
