import type { Database, Queryable } from '../pool.ts';
import type { SigningKey } from './keys.ts';
import { CHAIN_LOCK } from './seal.ts';
import { claimsOf, sign, statementDigest } from './statement.ts';
import type { Checkpoint, Retention } from './statement.ts';

const STEP = 20_000;
const OWN = "organisation_id = current_setting('app.organisation')";

/** The last checkpoint signed before a time: everything it covers was sealed before then. */
async function checkpointBefore(sql: Queryable, before: Date): Promise<Checkpoint | undefined> {
  const [row] = await sql.query<{ jws: string }>(
    `SELECT jws FROM audit_checkpoints WHERE ${OWN} AND created_at < $1 ORDER BY created_at DESC LIMIT 1`,
    [before],
  );
  return row && claimsOf('checkpoint', row.jws);
}

async function lastRetention(
  sql: Queryable,
): Promise<{ readonly through: number; readonly digest: string } | undefined> {
  const [row] = await sql.query<{ jws: string }>(
    `SELECT jws FROM audit_retentions WHERE ${OWN} ORDER BY through DESC LIMIT 1`,
  );
  return row && { through: claimsOf('retention', row.jws).through, digest: statementDigest(row.jws) };
}

/** The statement goes first: the table's triggers let go only of what one covers. */
async function removeThrough(sql: Queryable, { from, through, at }: Retention, jws: string): Promise<void> {
  await sql.query(
    `INSERT INTO audit_retentions (organisation_id, through, jws, created_at) VALUES (current_setting('app.organisation'), $1, $2, $3)`,
    [through, jws, at],
  );
  // In steps, so that none of them takes long enough to be given up.
  for (let first = from; first <= through; first += STEP) {
    const values = [first, Math.min(through, first + STEP - 1)];
    await sql.query(
      `DELETE FROM audit_events USING audit_seals s
       WHERE audit_events.${OWN} AND s.${OWN} AND s.position = audit_events.position AND s.index BETWEEN $1 AND $2`,
      values,
    );
    await sql.query(`DELETE FROM audit_seals WHERE ${OWN} AND index BETWEEN $1 AND $2`, values);
  }
  await sql.query(`DELETE FROM audit_checkpoints WHERE ${OWN} AND index < $1`, [through]);
}

/**
 * Removes what was sealed before a time, up to a checkpoint, in one transaction with a signed statement that says so.
 * Needs the owner's connection. Answers the statement; undefined where there is nothing to remove.
 */
export const applyRetention = (
  ownerDatabase: Database,
  organisation: string,
  { before, signer }: { readonly before: Date; readonly signer: () => SigningKey },
): Promise<Retention | undefined> =>
  ownerDatabase.transaction(organisation, async (sql) => {
    await sql.query(`SELECT pg_advisory_xact_lock(${CHAIN_LOCK})`);
    const [cut, last] = [await checkpointBefore(sql, before), await lastRetention(sql)];
    const from = (last?.through ?? 0) + 1;
    if (!cut || cut.index < from) return undefined;
    const statement: Retention = {
      v: 1,
      organisation,
      at: new Date().toISOString(),
      previous: last?.digest ?? null,
      from,
      through: cut.index,
      hash: cut.hash,
      removed: cut.index - from + 1,
      before: before.toISOString(),
    };
    await removeThrough(sql, statement, await sign('retention', statement, signer()));
    return statement;
  });
