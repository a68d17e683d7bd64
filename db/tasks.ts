import type { TaskProjection, TaskStatus } from '../contracts/tasks.ts';
import { TaskStatus as TaskStatuses } from '../contracts/tasks.ts';
import { writeProjection } from './upsert.ts';
import type { Queryable } from './pool.ts';

type Dated<T, K extends keyof T> = {
  readonly [P in keyof T]: P extends K ? (null extends T[P] ? Date | null : Date) : T[P];
};
type TaskDates = 'lease_until' | 'respond_by' | 'complete_by' | 'created_at' | 'completed_at';
/** A row of the projection as Postgres gives it, with the contents it refers to. */
export type TaskRow = Dated<TaskProjection, TaskDates> & {
  readonly updated_at: Date;
  readonly content_masked: unknown;
  readonly content_found: Record<string, number>;
  readonly result_masked: unknown;
  readonly reason_masked: unknown;
  readonly handoff_masked: unknown;
};

/** Writes the state of a task. */
export const saveTask = (sql: Queryable, row: TaskProjection, sequence: number, at: string): Promise<object[]> =>
  writeProjection(sql, 'tasks', { ...row, sequence, updated_at: at });

const SELECT = `
  SELECT t.*, c.masked AS content_masked, c.found AS content_found, r.masked AS result_masked, y.masked AS reason_masked,
    h.masked AS handoff_masked
  FROM tasks t
  LEFT JOIN contents c ON c.organisation_id = t.organisation_id AND c.id = t.content
  LEFT JOIN contents r ON r.organisation_id = t.organisation_id AND r.id = t.result
  LEFT JOIN contents y ON y.organisation_id = t.organisation_id AND y.id = t.reason
  LEFT JOIN contents h ON h.organisation_id = t.organisation_id AND h.id = t.handoff`;

export const findTask = async (sql: Queryable, id: string): Promise<TaskRow | undefined> =>
  (await sql.query<TaskRow>(`${SELECT} WHERE t.id = $1`, [id]))[0];

/** How a reader may be concerned by a task: the column and its value; `any` is for administrators. */
export interface TaskScope {
  readonly column: 'sender_id' | 'assignee_id' | 'role' | 'escalated_to' | 'any';
  readonly value: string;
  /** Only those assigned to this agent or user. */
  readonly assignee?: string;
  /** Only those nobody has yet: the queue of a role. */
  readonly unassigned?: boolean;
}
export interface TaskQuery {
  /** Any of these; at least one. */
  readonly scopes: readonly TaskScope[];
  readonly statuses: readonly TaskStatus[];
  readonly target?: string | undefined;
  readonly session_id?: string | undefined;
  readonly parent_task_id?: string | undefined;
  readonly dispatchable?: boolean;
  readonly after?: string | undefined;
  readonly ascending: boolean;
  readonly limit: number;
}

const ALL_STATUSES = TaskStatuses.options;

/**
 * Ids by short scans: for each scope and status, the newest few of one index, merged. However many tasks there are, a
 * page reads at most scopes × statuses × limit index entries.
 */
export function listTasks(sql: Queryable, query: TaskQuery): Promise<TaskRow[]> {
  const order = query.ascending ? 'ASC' : 'DESC';
  const values: unknown[] = [query.statuses.length > 0 ? query.statuses : ALL_STATUSES, query.limit];
  const bind = (value: unknown): string => `$${String(values.push(value))}`;
  const filters = [
    query.after === undefined ? '' : `AND t.id ${query.ascending ? '>' : '<'} ${bind(query.after)}`,
    query.target === undefined ? '' : `AND t.target = ${bind(query.target)}`,
    query.session_id === undefined ? '' : `AND t.session_id = ${bind(query.session_id)}`,
    query.parent_task_id === undefined ? '' : `AND t.parent_task_id = ${bind(query.parent_task_id)}`,
    query.dispatchable ? `AND NOT t.paused AND ${NOT_PAUSED}` : '',
  ].join(' ');
  const scans = query.scopes.map(
    (scope) => `SELECT found.id FROM unnest($1::text[]) AS wanted(status), LATERAL (
      SELECT t.id FROM tasks t WHERE t.status = wanted.status AND ${scope.column === 'any' ? 'true' : `t.${scope.column} = ${bind(scope.value)}`}
      ${scope.assignee === undefined ? '' : `AND t.assignee_id = ${bind(scope.assignee)}`}
      ${scope.unassigned ? 'AND t.assignee_id IS NULL' : ''} ${filters} ORDER BY t.id ${order} LIMIT $2) AS found`,
  );
  return sql.query<TaskRow>(
    `WITH ids AS (SELECT id FROM (${scans.join(' UNION ')}) AS merged ORDER BY id ${order} LIMIT $2)
     ${SELECT} JOIN ids ON ids.id = t.id ORDER BY t.id ${order}`,
    values,
  );
}

// A session's pause holds its queue at once, before the pause has reached each task.
const NOT_PAUSED = `NOT EXISTS (SELECT 1 FROM sessions s WHERE s.id = t.session_id AND s.status = 'paused')
  AND NOT EXISTS (SELECT 1 FROM pauses p WHERE p.scope = 'organisation' OR (p.scope = 'role' AND p.id = t.role)
    OR (p.scope = 'agent' AND p.id = t.assignee_id))`;

const OPEN: readonly TaskStatus[] = ['pending', 'active', 'stalled'];

/** Open tasks of a scope, oldest first. */
export async function openTaskIds(sql: Queryable, scope: string, id: string, after: string | null): Promise<string[]> {
  const where: Readonly<Record<string, string>> = {
    session: 'session_id = $1',
    agent: 'assignee_id = $1',
    role: 'role = $1',
    organisation: '$1::text IS NOT NULL',
  };
  const rows = await sql.query<{ id: string }>(
    `SELECT id FROM tasks WHERE ${where[scope] ?? 'false'} AND status = ANY ($2) AND ($3::text IS NULL OR id > $3) ORDER BY id LIMIT 200`,
    [id, OPEN, after],
  );
  return rows.map((row) => row.id);
}

/** Tasks of a role that nobody has, oldest and most urgent first: what an agent that comes online is offered. */
export async function queuedTaskIds(sql: Queryable, role: string, limit: number): Promise<string[]> {
  const rows = await sql.query<{ id: string }>(
    `SELECT id FROM tasks WHERE role = $1 AND status = 'pending' AND assignee_id IS NULL ORDER BY priority, id LIMIT $2`,
    [role, limit],
  );
  return rows.map((row) => row.id);
}

/** Open children of a task, oldest first. */
export async function openChildren(
  sql: Queryable,
  taskId: string,
  { after, limit }: { readonly after: string | null; readonly limit: number },
): Promise<string[]> {
  const rows = await sql.query<{ id: string }>(
    `SELECT id FROM tasks WHERE parent_task_id = $1 AND status NOT IN ('completed', 'cancelled')
       AND ($2::text IS NULL OR id > $2) ORDER BY id LIMIT $3`,
    [taskId, after, limit],
  );
  return rows.map((row) => row.id);
}

/** How many levels there are from the root of its tree to a task, and how many children it has; counted up to a most. */
export async function placeInTree(
  sql: Queryable,
  taskId: string,
  most: { readonly depth: number; readonly children: number },
): Promise<{ readonly depth: number; readonly children: number }> {
  const [row] = await sql.query<{ depth: number; children: number }>(
    `WITH RECURSIVE line AS (
       SELECT parent_task_id, 1 AS depth FROM tasks WHERE id = $1
       UNION ALL
       SELECT t.parent_task_id, line.depth + 1 FROM line JOIN tasks t ON t.id = line.parent_task_id WHERE line.depth < $2
     )
     SELECT (SELECT max(depth) FROM line) AS depth,
       (SELECT count(*)::int FROM (SELECT 1 FROM tasks WHERE parent_task_id = $1 LIMIT $3) AS below) AS children`,
    [taskId, most.depth, most.children],
  );
  return row ?? { depth: 0, children: 0 };
}

/** Tasks of a session by status. */
export async function taskCounts(sql: Queryable, sessionId: string): Promise<Record<string, number>> {
  const rows = await sql.query<{ status: string; count: number }>(
    'SELECT status, count(*)::int AS count FROM tasks WHERE session_id = $1 GROUP BY status',
    [sessionId],
  );
  return Object.fromEntries(rows.map(({ status, count }) => [status, count]));
}
