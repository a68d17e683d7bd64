import type { Queryable } from './pool.ts';

export interface NotificationRow {
  readonly id: string;
  readonly from_id: string;
  readonly to_tag: string;
  readonly target: string;
  readonly level: 'info' | 'warning' | 'critical';
  readonly title: string | null;
  readonly message: string;
  readonly data: unknown;
  readonly subject_id: string | null;
  readonly session_id: string | null;
  readonly ack_required: boolean;
  readonly acked_at: Date | null;
  readonly acked_by: string | null;
  readonly trace_id: string;
  readonly created_at: Date;
}
const COLUMNS =
  'id, from_id, to_tag, target, level, title, message, data, subject_id, session_id, ack_required, acked_at, acked_by, trace_id, created_at';

export type NewNotification = Omit<NotificationRow, 'acked_at' | 'acked_by' | 'created_at'>;

/** Adds a notification; the same id is added once. */
export async function addNotification(sql: Queryable, note: NewNotification): Promise<boolean> {
  const rows = await sql.query(
    `INSERT INTO notifications (organisation_id, id, from_id, to_tag, target, level, title, message, data, subject_id, session_id,
       ack_required, trace_id)
     VALUES (current_setting('app.organisation'), $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
     ON CONFLICT DO NOTHING RETURNING 1`,
    [
      note.id,
      note.from_id,
      note.to_tag,
      note.target,
      note.level,
      note.title,
      note.message,
      note.data === null ? null : JSON.stringify(note.data),
      note.subject_id,
      note.session_id,
      note.ack_required,
      note.trace_id,
    ],
  );
  return rows.length === 1;
}

export interface NotificationQuery {
  readonly tags: readonly string[];
  readonly unacked: boolean;
  readonly after?: string | undefined;
  readonly ascending: boolean;
  readonly limit: number;
}

/** A page of notifications to any of the tags; one short index scan a tag. */
export function listNotifications(sql: Queryable, query: NotificationQuery): Promise<NotificationRow[]> {
  const order = query.ascending ? 'ASC' : 'DESC';
  return sql.query<NotificationRow>(
    `SELECT ${COLUMNS} FROM unnest($1::text[]) AS wanted(tag), LATERAL (
       SELECT * FROM notifications n WHERE n.to_tag = wanted.tag ${query.unacked ? 'AND n.ack_required AND n.acked_at IS NULL' : ''}
         AND ($2::text IS NULL OR n.id ${query.ascending ? '>' : '<'} $2)
       ORDER BY n.id ${order} LIMIT $3) AS found
     ORDER BY id ${order} LIMIT $3`,
    [query.tags, query.after ?? null, query.limit],
  );
}

/** Acknowledges a notification to any of the tags; a second time changes nothing. */
export async function ackNotification(
  sql: Queryable,
  id: string,
  tags: readonly string[],
  by: string,
): Promise<NotificationRow | undefined> {
  const [row] = await sql.query<NotificationRow>(
    `UPDATE notifications SET acked_at = coalesce(acked_at, now()), acked_by = coalesce(acked_by, $3)
     WHERE id = $1 AND to_tag = ANY ($2) RETURNING ${COLUMNS}`,
    [id, tags, by],
  );
  return row;
}

export const findNotification = async (sql: Queryable, id: string): Promise<NotificationRow | undefined> =>
  (await sql.query<NotificationRow>(`SELECT ${COLUMNS} FROM notifications WHERE id = $1`, [id]))[0];
