import type { Queryable } from './pool.ts';

/** Why somebody's access ends. */
export type AccessEnd = 'left' | 'role_changed';

/**
 * Ends what people and the agents that act for them are signed in with, in the transaction that changes them. API keys
 * carry no role, so a new role leaves them; whoever leaves loses them for good.
 */
export async function endAccess(sql: Queryable, userIds: readonly string[], why: AccessEnd): Promise<void> {
  if (userIds.length === 0 || why === 'role_changed') return;
  await sql.query(
    `UPDATE api_keys SET revoked_at = now() WHERE revoked_at IS NULL AND (principal_id = ANY ($1)
       OR principal_id IN (SELECT id FROM agents WHERE acts_for = ANY ($1)))`,
    [userIds],
  );
  await sql.query("UPDATE agents SET status = 'offline' WHERE acts_for = ANY ($1) AND status <> 'offline'", [userIds]);
}
