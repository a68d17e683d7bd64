import type { ApprovalProjection } from '../contracts/approvals.ts';
import type { Queryable } from './pool.ts';
import { setAccess } from './subject-access.ts';
import { writeProjection } from './upsert.ts';

type ApprovalDates = 'due_by' | 'redeem_by' | 'redeemed_at' | 'created_at' | 'decided_at';
type Stored = {
  readonly [P in keyof ApprovalProjection]: P extends ApprovalDates
    ? null extends ApprovalProjection[P]
      ? Date | null
      : Date
    : ApprovalProjection[P];
};
export interface StoredVote {
  readonly by: string;
  readonly on_behalf_of: string | null;
  readonly verdict: 'approve' | 'reject' | 'request_changes';
  readonly edited: boolean;
  readonly content: string | null;
  readonly at: string;
  /** Masked comment, joined from the contents. */
  readonly comment: string | null;
}
/** A row of the projection as Postgres gives it, with the contents it refers to. */
export type ApprovalRow = Omit<Stored, 'votes'> & {
  readonly votes: readonly StoredVote[];
  readonly updated_at: Date;
  readonly content_masked: unknown;
  readonly content_found: Record<string, number>;
};

/** Writes the newest state of an approval and who is concerned by it. */
export async function saveApproval(
  sql: Queryable,
  row: ApprovalProjection,
  sequence: number,
  at: string,
): Promise<void> {
  await writeProjection(sql, 'approvals', { ...row, votes: JSON.stringify(row.votes), sequence, updated_at: at });
  const requester = [`${row.requester_kind}:${row.requester_id}`];
  if (row.requester_acts_for !== null) requester.push(`user:${row.requester_acts_for}`);
  const tags = [
    ...requester,
    ...row.approvers.map((id) => `user:${id}`),
    ...row.waiting_for.map((id) => `waiting:${id}`),
  ];
  await setAccess(sql, 'approval', row.id, tags);
}

const SELECT = `
  SELECT p.*, c.masked AS content_masked, c.found AS content_found,
    coalesce((SELECT jsonb_agg(v || jsonb_build_object('comment', w.masked -> 'comment') ORDER BY n)
      FROM jsonb_array_elements(p.votes) WITH ORDINALITY AS e(v, n)
      LEFT JOIN contents w ON w.organisation_id = p.organisation_id AND w.id = v ->> 'content'), '[]') AS votes
  FROM approvals p LEFT JOIN contents c ON c.organisation_id = p.organisation_id AND c.id = p.content`;

export const findApproval = async (sql: Queryable, id: string): Promise<ApprovalRow | undefined> =>
  (await sql.query<ApprovalRow>(`${SELECT} WHERE p.id = $1`, [id]))[0];

export interface ApprovalQuery {
  /** Tags of the reader; null for administrators, who see all. */
  readonly tags: readonly string[] | null;
  readonly status?: string | undefined;
  readonly task_id?: string | undefined;
  readonly session_id?: string | undefined;
  readonly after?: string | undefined;
  readonly ascending: boolean;
  readonly limit: number;
}

/** A page of approvals that the reader is concerned by. */
export function listApprovals(sql: Queryable, query: ApprovalQuery): Promise<ApprovalRow[]> {
  const values: unknown[] = [];
  const bind = (value: unknown): string => `$${String(values.push(value))}`;
  const order = query.ascending ? 'ASC' : 'DESC';
  const conditions = [
    query.tags === null
      ? 'true'
      : `EXISTS (SELECT 1 FROM subject_access a WHERE a.kind = 'approval' AND a.tag = ANY (${bind(query.tags)}) AND a.subject_id = p.id)`,
    ...(['status', 'task_id', 'session_id'] as const).flatMap((column) =>
      query[column] === undefined ? [] : [`p.${column} = ${bind(query[column])}`],
    ),
    ...(query.after === undefined ? [] : [`p.id ${query.ascending ? '>' : '<'} ${bind(query.after)}`]),
  ];
  return sql.query<ApprovalRow>(
    `${SELECT} WHERE ${conditions.join(' AND ')} ORDER BY p.id ${order} LIMIT ${bind(query.limit)}`,
    values,
  );
}

/** Approvals that any of these users could decide now, optionally of one task, oldest first. */
export function approvalsWaitingFor(
  sql: Queryable,
  users: readonly string[],
  taskId: string | null,
  limit: number,
): Promise<ApprovalRow[]> {
  return sql.query<ApprovalRow>(
    `${SELECT} JOIN (SELECT DISTINCT subject_id FROM subject_access WHERE kind = 'approval' AND tag = ANY ($1)) AS a ON a.subject_id = p.id
     WHERE ($2::text IS NULL OR p.task_id = $2) ORDER BY p.id LIMIT $3`,
    [users.map((user) => `waiting:${user}`), taskId, limit],
  );
}

/** Approvals of a task that can still be decided, oldest first. */
export async function openApprovals(
  sql: Queryable,
  taskId: string,
  { after, limit }: { readonly after: string | null; readonly limit: number },
): Promise<string[]> {
  const rows = await sql.query<{ id: string }>(
    `SELECT id FROM approvals WHERE task_id = $1 AND status IN ('pending', 'changes_requested')
       AND ($2::text IS NULL OR id > $2) ORDER BY id LIMIT $3`,
    [taskId, after, limit],
  );
  return rows.map((row) => row.id);
}

/** Approvals of a session by status. */
export async function approvalCounts(sql: Queryable, sessionId: string): Promise<Record<string, number>> {
  const rows = await sql.query<{ status: string; count: number }>(
    'SELECT status, count(*)::int AS count FROM approvals WHERE session_id = $1 GROUP BY status',
    [sessionId],
  );
  return Object.fromEntries(rows.map(({ status, count }) => [status, count]));
}
