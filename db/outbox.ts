import { isBigint } from './bigint.ts';
import type { Queryable } from './pool.ts';

export interface OutboxRow {
  readonly txid: string;
  readonly id: string;
  readonly topic: string;
  readonly type: string;
  readonly audience: string[];
  readonly data: Readonly<Record<string, unknown>>;
}

/** A place in the outbox; the text of an event id on /stream. */
export interface OutboxCursor {
  readonly txid: string;
  readonly id: string;
}

export const formatCursor = ({ txid, id }: OutboxCursor): string => `${txid}-${id}`;

/** Reads a cursor; undefined where the text is none. */
export function parseCursor(text: string): OutboxCursor | undefined {
  const [txid = '', id = '', ...more] = text.split('-');
  return more.length === 0 && isBigint(txid) && isBigint(id) ? { txid, id } : undefined;
}

/** Where the outbox ends now: whatever is written later comes after it. */
export async function outboxEnd(sql: Queryable): Promise<OutboxCursor> {
  const [row] = await sql.query<{ txid: string }>('SELECT pg_snapshot_xmin(pg_current_snapshot())::text AS txid');
  return { txid: row?.txid ?? '0', id: '0' };
}

/**
 * Events after a cursor, in order. Rows of transactions that overlap a running one are left for the next read: they
 * could be followed by a row with a smaller number.
 */
export const outboxAfter = (sql: Queryable, cursor: OutboxCursor, limit: number): Promise<OutboxRow[]> =>
  sql.query<OutboxRow>(
    `SELECT txid::text, id::text, topic, type, audience, data FROM outbox
     WHERE (outbox.txid, outbox.id) > ($1::xid8, $2::bigint) AND outbox.txid < pg_snapshot_xmin(pg_current_snapshot())
     ORDER BY outbox.txid, outbox.id LIMIT $3`,
    [cursor.txid, cursor.id, limit],
  );
