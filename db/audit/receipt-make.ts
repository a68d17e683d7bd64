import type { Database, Queryable } from '../pool.ts';
import { GENESIS } from './chain.ts';
import { eventsWhere } from './event.ts';
import type { SealedEvent } from './event.ts';
import { merklePath } from './merkle.ts';
import type { Receipt } from './receipt.ts';
import { claimsOf } from './statement.ts';

const MOST_EVENTS = 1_000;
const OWN = "organisation_id = current_setting('app.organisation')";

/** The events of a thing: its own, those of the task it belongs to or of the approvals that belong to it. */
const eventsOf = (sql: Queryable, id: string): Promise<SealedEvent[]> =>
  id.startsWith('evt_')
    ? eventsWhere(sql, `${OWN} AND id = $1`, [id])
    : eventsWhere(
        sql,
        `${OWN} AND position IN (
           SELECT position FROM audit_events WHERE ${OWN} AND subject_id = $1
           UNION SELECT position FROM audit_events WHERE ${OWN} AND task_id = $1
           UNION SELECT position FROM audit_events WHERE ${OWN} AND subject_id IN
             (SELECT task_id FROM audit_events WHERE ${OWN} AND subject_id = $1 AND task_id IS NOT NULL)
           ORDER BY position LIMIT ${String(MOST_EVENTS + 1)})`,
        [id],
      );

interface Batch {
  readonly from: number;
  readonly jws: string;
  readonly hashes: readonly string[];
  /** Hash of the link before the batch. */
  readonly before: string;
}

/** The checkpoint that covers a link, with all links it covers; undefined while there is none. */
async function batchOf(sql: Queryable, index: number): Promise<(Batch & { readonly through: number }) | undefined> {
  const [checkpoint] = await sql.query<{ index: string; jws: string; from: string }>(
    `SELECT c.index::text, c.jws, (coalesce((SELECT max(b.index) FROM audit_checkpoints b WHERE b.${OWN} AND b.index < c.index), 0) + 1)::text AS from
     FROM audit_checkpoints c WHERE c.${OWN} AND c.index >= $1 ORDER BY c.index LIMIT 1`,
    [index],
  );
  if (!checkpoint) return undefined;
  const [from, through] = [Number(checkpoint.from), Number(checkpoint.index)];
  const rows = await sql.query<{ index: string; hash: string }>(
    `SELECT index::text, encode(hash, 'hex') AS hash FROM audit_seals WHERE ${OWN} AND index BETWEEN $1 AND $2 ORDER BY audit_seals.index`,
    [from - 1, through],
  );
  const hashes = rows.filter((row) => Number(row.index) >= from).map(({ hash }) => hash);
  const first = rows[0];
  const before = first && Number(first.index) < from ? first.hash : await hashAt(sql, from - 1);
  return { from, through, jws: checkpoint.jws, hashes, before };
}

/** The hash of a link that is gone, from the checkpoint at which retention cut. */
async function hashAt(sql: Queryable, index: number): Promise<string> {
  if (index === 0) return GENESIS.hash;
  const [row] = await sql.query<{ jws: string }>(`SELECT jws FROM audit_checkpoints WHERE ${OWN} AND index = $1`, [
    index,
  ]);
  return row ? claimsOf('checkpoint', row.jws).hash : GENESIS.hash;
}

interface SealRow {
  readonly index: string;
  readonly position: string;
  readonly event_id: string;
  readonly event_digest: string;
  readonly sealed_at: Date;
  readonly hash: string;
}

const sealsOf = (sql: Queryable, events: readonly SealedEvent[]): Promise<SealRow[]> =>
  sql.query<SealRow>(
    `SELECT index::text, position::text, event_id, encode(event_digest, 'hex') AS event_digest, sealed_at, encode(hash, 'hex') AS hash
     FROM audit_seals WHERE ${OWN} AND position = ANY ($1::bigint[])`,
    [events.map(({ position }) => position)],
  );

/** Puts the events of a batch with their proofs. */
function prove(event: SealedEvent, seal: SealRow, batch: Batch, checkpoint: number): Receipt['events'][number] {
  const index = Number(seal.index);
  const at = index - batch.from;
  return {
    event,
    entry: {
      index,
      position: seal.position,
      event_id: seal.event_id,
      event_digest: seal.event_digest,
      sealed_at: seal.sealed_at.toISOString(),
      previous: batch.hashes[at - 1] ?? batch.before,
      hash: seal.hash,
    },
    proof: { checkpoint, path: merklePath(batch.hashes, at) },
  };
}

/**
 * The receipt of a task, an approval or an event. `unknown`: nothing of it is on record. `unsigned`: a part of it is not
 * covered by a checkpoint yet.
 */
export const makeReceipt = (
  database: Database,
  organisation: string,
  id: string,
): Promise<Receipt | 'unknown' | 'unsigned'> =>
  database.inOrganisation(organisation, async (sql) => {
    const all = await eventsOf(sql, id);
    if (all.length === 0) return 'unknown';
    const events = all.slice(0, MOST_EVENTS);
    const seals = new Map((await sealsOf(sql, events)).map((seal) => [seal.position, seal]));
    const checkpoints: string[] = [];
    const proven: Receipt['events'] = [];
    let batch: Awaited<ReturnType<typeof batchOf>>;
    const sealed = events.map((event) => ({ event, seal: seals.get(event.position) }));
    for (const { event, seal } of sealed.sort((a, b) => Number(a.seal?.index ?? 0) - Number(b.seal?.index ?? 0))) {
      if (!seal) return 'unsigned';
      if (!batch || Number(seal.index) > batch.through) {
        batch = await batchOf(sql, Number(seal.index));
        if (!batch) return 'unsigned';
        checkpoints.push(batch.jws);
      }
      proven.push(prove(event, seal, batch, checkpoints.length - 1));
    }
    return {
      type: 'switchboard-audit-receipt',
      version: 1,
      organisation,
      subject: id,
      made_at: new Date().toISOString(),
      complete: all.length <= MOST_EVENTS,
      events: proven,
      checkpoints,
    };
  });
