import type { Database, Queryable } from '../pool.ts';
import { GENESIS, linkEvents } from './chain.ts';
import type { Entry, Head } from './chain.ts';
import { eventsAt } from './event.ts';
import type { SigningKey } from './keys.ts';
import { merkleRoot } from './merkle.ts';
import { claimsOf, sign, statementDigest } from './statement.ts';

/** A checkpoint is made in the same transaction once so many links wait for one: fewer than these ever do. */
export const CHECKPOINT_EVERY = 1_000;
const BATCH = 1_000;
const CHECKPOINT_AFTER_MS = 5_000;

export interface Sealing {
  /** Read when a checkpoint is made. */
  readonly signer: () => SigningKey;
  /** Events in one transaction. */
  readonly batch?: number;
  /** Time between checkpoints while there are fewer than `CHECKPOINT_EVERY` new links. */
  readonly checkpointAfterMs?: number;
}

export interface Sealed {
  /** Somebody else seals this organisation just now. */
  readonly busy: boolean;
  readonly sealed: number;
  /** Whether more events wait. */
  readonly more: boolean;
  readonly checkpoint?: { readonly index: number; readonly jws: string };
}

interface Signed extends Head {
  readonly jws: string;
  readonly at: Date;
}

/** The lock under which the chain of the organisation grows or is cut; it ends with the transaction, or its process. */
export const CHAIN_LOCK = "hashtextextended('audit-chain:' || current_setting('app.organisation'), 0)";

/** The last link. Once retention has removed all of them, the last checkpoint stands for them. */
export async function chainHead(sql: Queryable, signed: Head | undefined): Promise<Head> {
  const [row] = await sql.query<{ index: string; hash: string }>(
    `SELECT index::text, encode(hash, 'hex') AS hash FROM audit_seals
     WHERE organisation_id = current_setting('app.organisation') ORDER BY audit_seals.index DESC LIMIT 1`,
  );
  const last = row ? { index: Number(row.index), hash: row.hash } : GENESIS;
  return signed && signed.index > last.index ? signed : last;
}

/** The last checkpoint. */
export async function lastCheckpoint(sql: Queryable): Promise<Signed | undefined> {
  const [row] = await sql.query<{ jws: string; created_at: Date }>(
    `SELECT jws, created_at FROM audit_checkpoints
     WHERE organisation_id = current_setting('app.organisation') ORDER BY index DESC LIMIT 1`,
  );
  if (!row) return undefined;
  const { index, hash } = claimsOf('checkpoint', row.jws);
  return { index, hash, jws: row.jws, at: row.created_at };
}

const insertEntries = (sql: Queryable, entries: readonly Entry[]): Promise<object[]> =>
  sql.query(
    `INSERT INTO audit_seals (organisation_id, index, position, event_id, event_digest, hash, sealed_at)
     SELECT current_setting('app.organisation'), e.index, e.position, e.event_id, decode(e.event_digest, 'hex'), decode(e.hash, 'hex'), e.sealed_at
     FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::text[], $5::text[], $6::timestamptz[])
       AS e(index, position, event_id, event_digest, hash, sealed_at)`,
    (['index', 'position', 'event_id', 'event_digest', 'hash', 'sealed_at'] as const).map((field) =>
      entries.map((entry) => entry[field]),
    ),
  );

/** Links the next waiting events to the chain. Causes come before effects: who saw an event has a larger position. */
async function sealEvents(sql: Queryable, organisation: string, head: Head, batch: number): Promise<Entry[]> {
  const waiting = await sql.query<{ position: string }>(
    `SELECT position::text FROM audit_pending WHERE organisation_id = current_setting('app.organisation')
     ORDER BY audit_pending.position LIMIT $1`,
    [batch],
  );
  if (waiting.length === 0) return [];
  const events = await eventsAt(
    sql,
    waiting.map(({ position }) => position),
  );
  const entries = linkEvents(organisation, head, [...events.values()], new Date());
  await insertEntries(sql, entries);
  // An event that was removed before it was sealed stays announced: `verify` names it.
  await sql.query(
    "DELETE FROM audit_pending WHERE organisation_id = current_setting('app.organisation') AND position = ANY ($1::bigint[])",
    [[...events.keys()]],
  );
  return entries;
}

const hashesAfter = async (sql: Queryable, index: number): Promise<string[]> =>
  (
    await sql.query<{ hash: string }>(
      `SELECT encode(hash, 'hex') AS hash FROM audit_seals
       WHERE organisation_id = current_setting('app.organisation') AND index > $1 ORDER BY audit_seals.index`,
      [index],
    )
  ).map(({ hash }) => hash);

async function signCheckpoint(
  sql: Queryable,
  organisation: string,
  { head, last, signer }: { readonly head: Head; readonly last: Signed | undefined; readonly signer: () => SigningKey },
): Promise<{ readonly index: number; readonly jws: string }> {
  const from = (last?.index ?? 0) + 1;
  const at = new Date();
  const root = merkleRoot(await hashesAfter(sql, from - 1));
  const previous = last ? statementDigest(last.jws) : null;
  const statement = {
    v: 1,
    organisation,
    at: at.toISOString(),
    previous,
    from,
    index: head.index,
    hash: head.hash,
    root,
  } as const;
  const jws = await sign('checkpoint', statement, signer());
  await sql.query(
    `INSERT INTO audit_checkpoints (organisation_id, index, jws, created_at)
     VALUES (current_setting('app.organisation'), $1, $2, $3)`,
    [head.index, jws, at],
  );
  return { index: head.index, jws };
}

/** Seals one batch of an organisation's events, and signs a checkpoint when one is due or wanted. */
export const sealBatch = (
  database: Database,
  organisation: string,
  { signer, batch = BATCH, checkpointAfterMs = CHECKPOINT_AFTER_MS }: Sealing,
  { checkpoint: wanted = false } = {},
): Promise<Sealed> =>
  database.transaction(organisation, async (sql): Promise<Sealed> => {
    const [lock] = await sql.query<{ got: boolean }>(`SELECT pg_try_advisory_xact_lock(${CHAIN_LOCK}) AS got`);
    if (lock?.got !== true) return { busy: true, sealed: 0, more: true };
    const last = await lastCheckpoint(sql);
    const before = await chainHead(sql, last);
    const entries = await sealEvents(sql, organisation, before, batch);
    const head = entries.at(-1) ?? before;
    const more = entries.length === batch;
    const uncovered = head.index - (last?.index ?? 0);
    const waited = Date.now() - (last?.at.getTime() ?? 0) >= checkpointAfterMs;
    if (uncovered === 0 || !(uncovered >= CHECKPOINT_EVERY || (!more && (wanted || waited))))
      return { busy: false, sealed: entries.length, more };
    const checkpoint = await signCheckpoint(sql, organisation, { head, last, signer });
    return { busy: false, sealed: entries.length, more, checkpoint };
  });
