import type { Database, Queryable } from '../pool.ts';
import { GENESIS } from './chain.ts';
import type { Entry, Head } from './chain.ts';
import { eventsAt } from './event.ts';
import type { SealedEvent } from './event.ts';
import { claimsIn } from './statement.ts';

/** One line of an exported record, in order: where it begins, what was removed, links, checkpoints, where it ends. */
export type RecordItem =
  | { readonly type: 'begin'; readonly organisation: string; readonly after: Head; readonly checkpoint: string | null }
  | { readonly type: 'retention'; readonly jws: string }
  | ({ readonly type: 'entry'; readonly event: SealedEvent | null } & Entry)
  | { readonly type: 'checkpoint'; readonly index: number; readonly jws: string }
  | { readonly type: 'end'; readonly entries: number; readonly index: number };

/** A part of the chain, by index or by time (RFC 3339); it is widened to the checkpoints around it. */
export interface Range {
  readonly from?: string | undefined;
  readonly to?: string | undefined;
}

type EntryItem = Extract<RecordItem, { type: 'entry' }>;
type CheckpointItem = Extract<RecordItem, { type: 'checkpoint' }>;

const PAGE = 200;
const OWN = "organisation_id = current_setting('app.organisation')";

async function entriesAfter(sql: Queryable, after: number, to: number): Promise<EntryItem[]> {
  const rows = await sql.query<Omit<Entry, 'index' | 'sealed_at'> & { index: string; sealed_at: Date }>(
    `SELECT index::text, position::text, event_id, encode(event_digest, 'hex') AS event_digest, encode(hash, 'hex') AS hash, sealed_at
     FROM audit_seals WHERE ${OWN} AND index > $1 AND index <= $2 ORDER BY audit_seals.index LIMIT ${String(PAGE)}`,
    [after, to],
  );
  const events = await eventsAt(
    sql,
    rows.map(({ position }) => position),
  );
  return rows.map((row) => ({
    type: 'entry',
    index: Number(row.index),
    position: row.position,
    event_id: row.event_id,
    event_digest: row.event_digest,
    sealed_at: row.sealed_at.toISOString(),
    hash: row.hash,
    event: events.get(row.position) ?? null,
  }));
}

async function checkpointsAfter(sql: Queryable, after: number, to: number): Promise<CheckpointItem[]> {
  const rows = await sql.query<{ index: string; jws: string }>(
    `SELECT index::text, jws FROM audit_checkpoints WHERE ${OWN} AND index > $1 AND index <= $2
     ORDER BY audit_checkpoints.index LIMIT ${String(PAGE)}`,
    [after, to],
  );
  return rows.map(({ index, jws }) => ({ type: 'checkpoint', index: Number(index), jws }));
}

/** Everything after an index, page by page: memory holds two pages, however long the record is. */
async function* pages<T extends { readonly index: number }>(
  database: Database,
  organisation: string,
  after: number,
  read: (sql: Queryable, after: number) => Promise<T[]>,
): AsyncGenerator<T> {
  for (let last = after; ;) {
    const page = await database.inOrganisation(organisation, (sql) => read(sql, last));
    yield* page;
    last = page.at(-1)?.index ?? last;
    if (page.length < PAGE) return;
  }
}

const retentions = (sql: Queryable): Promise<{ jws: string }[]> =>
  sql.query<{ jws: string }>(`SELECT jws FROM audit_retentions WHERE ${OWN} ORDER BY through`);

async function checkpointBy(sql: Queryable, condition: string, value: unknown): Promise<string | undefined> {
  const [row] = await sql.query<{ jws: string }>(
    `SELECT jws FROM audit_checkpoints WHERE ${OWN} AND ${condition} LIMIT 1`,
    [value],
  );
  return row?.jws;
}

const isIndex = (text: string): boolean => /^\d{1,15}$/.test(text);

/** The last checkpoint before the wanted begin. */
const beginOf = (sql: Queryable, from: string): Promise<string | undefined> =>
  isIndex(from)
    ? checkpointBy(sql, 'index < $1 ORDER BY index DESC', Number(from))
    : checkpointBy(sql, 'created_at < $1 ORDER BY created_at DESC', from);

/** The index of the first checkpoint behind the wanted end. */
async function endOf(sql: Queryable, to: string): Promise<number> {
  const jws = isIndex(to)
    ? await checkpointBy(sql, 'index >= $1 ORDER BY index', Number(to))
    : await checkpointBy(sql, 'created_at > $1 ORDER BY created_at', to);
  return jws === undefined ? Infinity : (claimsIn('checkpoint', jws)?.index ?? Infinity);
}

/** Where the record ends now, so that what is sealed meanwhile is left for the next look. */
async function endNow(sql: Queryable): Promise<number> {
  const [row] = await sql.query<{ index: string }>(
    `SELECT greatest((SELECT max(index) FROM audit_seals WHERE ${OWN}), (SELECT max(index) FROM audit_checkpoints WHERE ${OWN}), 0)::text AS index`,
  );
  return Number(row?.index ?? 0);
}

/** The record of an organisation as it is stored, in constant memory. Nothing of it is believed or checked here. */
export async function* recordOf(
  database: Database,
  organisation: string,
  { from, to }: Range = {},
): AsyncGenerator<RecordItem> {
  const { removed, anchor, end } = await database.inOrganisation(organisation, async (sql) => ({
    removed: await retentions(sql),
    anchor: from === undefined ? undefined : await beginOf(sql, from),
    end: Math.min(await endNow(sql), to === undefined ? Infinity : await endOf(sql, to)),
  }));
  const lastRemoved = removed.at(-1);
  const cut = lastRemoved ? claimsIn('retention', lastRemoved.jws) : undefined;
  const signed = anchor === undefined ? undefined : claimsIn('checkpoint', anchor);
  const { index, hash }: Head = signed ?? (cut ? { index: cut.through, hash: cut.hash } : GENESIS);
  yield {
    type: 'begin',
    organisation,
    after: { index, hash },
    checkpoint: signed && anchor !== undefined ? anchor : null,
  };
  for (const { jws } of removed) yield { type: 'retention', jws };
  const checkpoints = pages(database, organisation, index - (cut && !signed ? 1 : 0), (sql, last) =>
    checkpointsAfter(sql, last, end),
  );
  let checkpoint = await checkpoints.next();
  let entries = 0;
  let last = index;
  for await (const entry of pages(database, organisation, signed ? index : 0, (sql, at) =>
    entriesAfter(sql, at, end),
  )) {
    for (; checkpoint.done !== true && checkpoint.value.index < entry.index; checkpoint = await checkpoints.next())
      yield checkpoint.value;
    yield entry;
    entries += 1;
    last = entry.index;
  }
  for (; checkpoint.done !== true; checkpoint = await checkpoints.next()) yield checkpoint.value;
  yield { type: 'end', entries, index: last };
}
