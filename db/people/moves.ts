import type { Move, OpenWork } from '../../contracts/directory-workflow.ts';
import { ONLINE_SECONDS } from '../directory.ts';
import type { Queryable } from '../pool.ts';

/** Ends at once the moves of those who have nothing open: of thousands who leave, most. */
export const finishIdleMoves = (sql: Queryable): Promise<object[]> =>
  sql.query(
    `UPDATE directory_moves m SET done_at = now() WHERE done_at IS NULL
       AND NOT EXISTS (SELECT 1 FROM tasks t WHERE t.assignee_id = m.subject_id AND t.status NOT IN ('completed', 'cancelled'))
       AND NOT EXISTS (SELECT 1 FROM agents a JOIN tasks t ON t.assignee_id = a.id
         WHERE a.acts_for = m.subject_id AND t.status NOT IN ('completed', 'cancelled'))
       AND NOT EXISTS (SELECT 1 FROM subject_access s WHERE s.kind = 'approval' AND s.tag = 'waiting:' || m.subject_id)`,
  );

/** The next people whose open work has to move, with who answers for them now. */
export const pendingMoves = (sql: Queryable, limit: number): Promise<Move[]> =>
  sql.query<Move>(
    `SELECT m.id, m.subject_id, m.reason, m.trace_id, coalesce(u.role, a.role, '') AS role,
       ARRAY(SELECT one.id FROM agents one WHERE one.acts_for = m.subject_id ORDER BY one.id) AS agents,
       CASE WHEN m.reason IN ('silent', 'draining') THEN '{}' ELSE ${SUCCESSORS} END AS successors
     FROM directory_moves m LEFT JOIN users u ON u.id = m.subject_id LEFT JOIN agents a ON a.id = m.subject_id
     WHERE m.done_at IS NULL ORDER BY m.id LIMIT $1`,
    [limit],
  );

// Delegates of this moment first, then the managers above, nearest first; only those who are there.
const SUCCESSORS = `ARRAY(
  SELECT d.delegate_id FROM delegations d JOIN users one ON one.id = d.delegate_id AND one.active
  WHERE d.user_id = m.subject_id AND d.valid_from <= now() AND d.valid_until > now() ORDER BY d.id
) || ARRAY(
  WITH RECURSIVE above AS (
    SELECT coalesce(u.manager_id, (SELECT p.manager_id FROM users p WHERE p.id = a.acts_for)) AS id, 1 AS depth
    UNION ALL
    SELECT one.manager_id, above.depth + 1 FROM above JOIN users one ON one.id = above.id WHERE above.depth < 20
  )
  SELECT above.id FROM above JOIN users one ON one.id = above.id AND one.active ORDER BY above.depth
)`;

/** What somebody and the agents that act for them still have open, after given ids. */
export async function openWorkOf(
  sql: Queryable,
  { subject_id, agents, reason }: Move,
  after: { readonly task: string | null; readonly approval: string | null },
  limit: number,
): Promise<OpenWork> {
  const tasks = await sql.query<{ id: string }>(
    `SELECT id FROM tasks WHERE assignee_id = ANY ($1) AND status NOT IN ('completed', 'cancelled')
       AND ($4 = false OR (status = 'pending' AND target <> $5)) AND ($2::text IS NULL OR id > $2) ORDER BY id LIMIT $3`,
    [[subject_id, ...agents], after.task, limit, reason === 'draining', subject_id],
  );
  if (reason === 'silent' || reason === 'draining') return { tasks: tasks.map(({ id }) => id), approvals: [] };
  const approvals = await sql.query<{ id: string }>(
    `SELECT subject_id AS id FROM subject_access WHERE kind = 'approval' AND tag = $1
       AND ($2::text IS NULL OR subject_id > $2) ORDER BY subject_id LIMIT $3`,
    [`waiting:${subject_id}`, after.approval, limit],
  );
  return { tasks: tasks.map(({ id }) => id), approvals: approvals.map(({ id }) => id) };
}

/** Notes whose open work has moved. */
export const finishMoves = (sql: Queryable, ids: readonly string[]): Promise<object[]> =>
  sql.query('UPDATE directory_moves SET done_at = now() WHERE id = ANY ($1)', [ids]);

/** Whether somebody's open work still has to move. */
export const hasPendingMoves = async (sql: Queryable): Promise<boolean> =>
  (await sql.query('SELECT 1 FROM directory_moves WHERE done_at IS NULL LIMIT 1')).length > 0;

/** Asks for somebody's open work to be moved. */
export const requestMove = (
  sql: Queryable,
  subjectId: string,
  reason: Move['reason'],
  traceId: string,
): Promise<object[]> =>
  sql.query(
    `INSERT INTO directory_moves (organisation_id, subject_id, reason, trace_id)
     VALUES (current_setting('app.organisation'), $1, $2, $3)`,
    [subjectId, reason, traceId],
  );

/** Agents that beat and stopped become offline; answers those, each once. What they hold moves with the same statement. */
export async function silenceAgents(sql: Queryable): Promise<string[]> {
  const rows = await sql.query<{ id: string }>(
    `WITH silent AS (
       UPDATE agents SET status = 'offline'
       WHERE status <> 'offline' AND last_seen_at < now() - interval '${String(ONLINE_SECONDS)} seconds' RETURNING id
     ), moved AS (
       INSERT INTO directory_moves (organisation_id, subject_id, reason, trace_id)
       SELECT current_setting('app.organisation'), s.id, 'silent', 'silence:' || s.id FROM silent s
       WHERE EXISTS (SELECT 1 FROM tasks t WHERE t.assignee_id = s.id AND t.status IN ('pending', 'active'))
     )
     SELECT id FROM silent ORDER BY id`,
  );
  return rows.map(({ id }) => id);
}

/** Removes moves that are long done. */
export const sweepMoves = (sql: Queryable): Promise<object[]> =>
  sql.query("DELETE FROM directory_moves WHERE done_at < now() - interval '30 days'");
