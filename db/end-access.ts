import type { Queryable } from './pool.ts';
import { revoke } from './revocations.ts';

/** Why somebody's access ends. */
export type AccessEnd = 'left' | 'role_changed' | 'signed_out';

/** What ended: browser sessions, and the agents whose tokens did. */
export interface EndedAccess {
  readonly sessions: number;
  readonly agents: number;
}

/** Longer than any token lives. */
const TOKENS_END_MS = 31 * 86_400_000;

/**
 * Ends what people and the agents that act for them are signed in with, in the transaction that changes them: browser
 * sessions and tokens, and where they leave their keys too, for good. With another role, or signed out, they sign in anew.
 */
export async function endAccess(sql: Queryable, userIds: readonly string[], why: AccessEnd): Promise<EndedAccess> {
  if (userIds.length === 0) return { sessions: 0, agents: 0 };
  const agents = await sql.query<{ id: string }>('SELECT id FROM agents WHERE acts_for = ANY ($1)', [userIds]);
  const principals = [...userIds, ...agents.map(({ id }) => id)];
  const sessions = await sql.query<object>('DELETE FROM login_sessions WHERE user_id = ANY ($1) RETURNING user_id', [
    userIds,
  ]);
  const ids = principals.map((id) => `principal:${id}`);
  await revoke(sql, ids, new Date(Date.now() + TOKENS_END_MS));
  const ended = { sessions: sessions.length, agents: agents.length };
  if (why !== 'left') return ended;
  await sql.query('UPDATE api_keys SET revoked_at = now() WHERE revoked_at IS NULL AND principal_id = ANY ($1)', [
    principals,
  ]);
  await sql.query("UPDATE agents SET status = 'offline' WHERE acts_for = ANY ($1) AND status <> 'offline'", [userIds]);
  return ended;
}
