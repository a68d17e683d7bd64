import type { Queryable } from './pool.ts';

export const addPause = (sql: Queryable, scope: string, id: string): Promise<object[]> =>
  sql.query(
    "INSERT INTO pauses (organisation_id, scope, id) VALUES (current_setting('app.organisation'), $1, $2) ON CONFLICT DO NOTHING",
    [scope, id],
  );

export const removePause = (sql: Queryable, scope: string, id: string): Promise<object[]> =>
  sql.query('DELETE FROM pauses WHERE scope = $1 AND id = $2', [scope, id]);

/** What holds work of this session, role and agent now, as tags. */
export async function pausesFor(
  sql: Queryable,
  of: { session_id: string | null; role: string; agent_id: string | null },
): Promise<string[]> {
  const rows = await sql.query<{ by: string }>(
    `SELECT 'session:' || id AS by FROM sessions WHERE id = $1 AND status = 'paused'
     UNION ALL
     SELECT CASE scope WHEN 'organisation' THEN 'organisation' ELSE scope || ':' || id END FROM pauses
     WHERE scope = 'organisation' OR (scope = 'role' AND id = $2) OR (scope = 'agent' AND id = $3)`,
    [of.session_id, of.role, of.agent_id],
  );
  return rows.map((row) => row.by);
}
