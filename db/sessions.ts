import { tagOf } from '../contracts/actor.ts';
import type { SessionProjection } from '../contracts/sessions.ts';
import type { Queryable } from './pool.ts';
import { setAccess } from './subject-access.ts';
import { writeProjection } from './upsert.ts';

type SessionDates = 'created_at' | 'last_transition_at' | 'paused_at' | 'completed_at' | 'failed_at' | 'expires_at';
/** A row of the projection as Postgres gives it, with the contents it refers to. */
export type SessionRow = {
  readonly [P in keyof SessionProjection]: P extends SessionDates
    ? null extends SessionProjection[P]
      ? Date | null
      : Date
    : SessionProjection[P];
} & {
  readonly updated_at: Date;
  readonly content_masked: unknown;
  readonly handoff_masked: unknown;
  readonly reason_masked: unknown;
};

/** Writes the newest state of a session and who takes part. */
export async function saveSession(sql: Queryable, row: SessionProjection, sequence: number, at: string): Promise<void> {
  await writeProjection(sql, 'sessions', { ...row, sequence, updated_at: at });
  await setAccess(sql, 'session', row.id, row.participants.map(tagOf));
}

const SELECT = `
  SELECT s.*, c.masked AS content_masked, h.masked AS handoff_masked, y.masked AS reason_masked
  FROM sessions s
  LEFT JOIN contents c ON c.organisation_id = s.organisation_id AND c.id = s.content
  LEFT JOIN contents h ON h.organisation_id = s.organisation_id AND h.id = s.handoff
  LEFT JOIN contents y ON y.organisation_id = s.organisation_id AND y.id = s.reason`;

export const findSession = async (sql: Queryable, id: string): Promise<SessionRow | undefined> =>
  (await sql.query<SessionRow>(`${SELECT} WHERE s.id = $1`, [id]))[0];

export interface SessionQuery {
  /** Tags of the reader; null for administrators, who see all. */
  readonly tags: readonly string[] | null;
  readonly status?: string | undefined;
  readonly after?: string | undefined;
  readonly offset: number;
  readonly limit: number;
}

const visible = (query: SessionQuery, bind: (value: unknown) => string): string =>
  [
    query.tags === null
      ? 'true'
      : `EXISTS (SELECT 1 FROM subject_access a WHERE a.kind = 'session' AND a.tag = ANY (${bind(query.tags)}) AND a.subject_id = s.id)`,
    query.status === undefined ? 'true' : `s.status = ${bind(query.status)}`,
    query.after === undefined ? 'true' : `s.id < ${bind(query.after)}`,
  ].join(' AND ');

/** A page of sessions, newest first. The offset serves the page numbers of older clients, 100 pages at most. */
export function listSessions(sql: Queryable, query: SessionQuery): Promise<SessionRow[]> {
  const values: unknown[] = [];
  const bind = (value: unknown): string => `$${String(values.push(value))}`;
  const where = visible(query, bind);
  return sql.query<SessionRow>(
    `${SELECT} WHERE ${where} ORDER BY s.id DESC OFFSET ${bind(query.offset)} LIMIT ${bind(query.limit)}`,
    values,
  );
}

/** How many sessions there are, counted to 10,000 at most so that counting stays cheap. */
export async function countSessions(sql: Queryable, query: SessionQuery): Promise<number> {
  const values: unknown[] = [];
  const bind = (value: unknown): string => `$${String(values.push(value))}`;
  const where = visible({ ...query, after: undefined }, bind);
  const [row] = await sql.query<{ count: number }>(
    `SELECT count(*)::int AS count FROM (SELECT 1 FROM sessions s WHERE ${where} LIMIT 10000) AS counted`,
    values,
  );
  return row?.count ?? 0;
}

/** When anything last happened in a session. */
export async function lastActivity(sql: Queryable, sessionId: string): Promise<Date | null> {
  const [row] = await sql.query<{ at: Date | null }>(
    "SELECT at FROM audit_events WHERE session_id = $1 AND action <> 'session.extended' ORDER BY position DESC LIMIT 1",
    [sessionId],
  );
  return row?.at ?? null;
}
