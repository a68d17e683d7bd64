import { ROLES } from '../contracts/principal.ts';
import { refused } from '../contracts/parse.ts';
import type { Role } from '../contracts/principal.ts';
import { findAgent, findUser } from '../db/directory.ts';
import type { Queryable } from '../db/pool.ts';

/** What a target names: a role's queue, or one agent or person of a role. */
export interface Target {
  readonly role: Role;
  readonly direct: { readonly kind: 'agent' | 'user'; readonly id: string } | null;
}

/** Finds a target in the directory. Refuses with unknown_target. */
export async function findTarget(sql: Queryable, target: string): Promise<Target> {
  const role = ROLES.find((one) => one === target);
  if (role) return { role, direct: null };
  const agent = target.startsWith('agent_') ? await findAgent(sql, target) : undefined;
  if (agent) return { role: agent.role, direct: { kind: 'agent', id: agent.id } };
  const user = target.startsWith('user_') ? await findUser(sql, target) : undefined;
  if (user) return { role: user.role, direct: { kind: 'user', id: user.id } };
  throw refused({
    code: 'unknown_target',
    detail: `${target} is neither a role nor an agent or user of your organisation.`,
  });
}
