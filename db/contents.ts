import type { MaskCounts } from '../contracts/content.ts';
import type { Json } from '../contracts/json.ts';
import type { Queryable } from './pool.ts';

export interface ContentRow {
  readonly id: string;
  readonly sealed: Buffer | null;
  readonly masked: Json;
  readonly found: MaskCounts;
}

/**
 * Keeps sealed content until it is masked; the same id is kept once. A request that is repeated makes its content young
 * again, so that the sweep of abandoned content cannot take it away between here and the start of the workflow.
 */
export const putSealed = (sql: Queryable, id: string, sealed: Buffer): Promise<object[]> =>
  sql.query(
    `INSERT INTO contents (organisation_id, id, sealed) VALUES (current_setting('app.organisation'), $1, $2)
     ON CONFLICT (organisation_id, id) DO UPDATE SET created_at = now(), sweeps = 0 WHERE contents.sealed IS NOT NULL`,
    [id, sealed],
  );

/** Keeps content that is masked already. */
export const putMasked = (sql: Queryable, id: string, masked: Json, found: MaskCounts): Promise<object[]> =>
  sql.query(
    `INSERT INTO contents (organisation_id, id, masked, found) VALUES (current_setting('app.organisation'), $1, $2, $3)
     ON CONFLICT DO NOTHING`,
    [id, JSON.stringify(masked), found],
  );

export const getContent = async (sql: Queryable, id: string): Promise<ContentRow | undefined> =>
  (await sql.query<ContentRow>('SELECT id, sealed, masked, found FROM contents WHERE id = $1', [id]))[0];

/** Puts the masked form in the place of the sealed one: from here on no clear text is kept. */
export const replaceByMasked = (sql: Queryable, id: string, masked: Json, found: MaskCounts): Promise<object[]> =>
  sql.query('UPDATE contents SET masked = $2, found = $3, sealed = NULL WHERE id = $1', [
    id,
    JSON.stringify(masked),
    found,
  ]);

/** Removes content of something that was refused: only where it is still sealed, unless all of it is to go. */
export const removeContent = (sql: Queryable, id: string, all = false): Promise<object[]> =>
  sql.query('DELETE FROM contents WHERE id = $1 AND ($2 OR sealed IS NOT NULL)', [id, all]);

/** Sealed for a day, and through so many sweeps: these run once a minute, and only while workers are at work. */
const ABANDONED_AFTER = { age: "interval '1 day'", sweeps: 120 } as const;
const IS_OLD = `sealed IS NOT NULL AND created_at < now() - ${ABANDONED_AFTER.age}`;

/**
 * Counts one more sweep for each content that is sealed since long; answers the ids of those that nobody seems to come
 * for. An outage of all workers, however long, does not make content old: sweeps stand still meanwhile.
 */
export async function abandonedContents(sql: Queryable, limit: number): Promise<string[]> {
  await sql.query(
    `UPDATE contents SET sweeps = sweeps + 1 WHERE ${IS_OLD} AND sweeps < ${String(ABANDONED_AFTER.sweeps)}`,
  );
  const rows = await sql.query<{ id: string }>(
    `SELECT id FROM contents WHERE ${IS_OLD} AND sweeps >= ${String(ABANDONED_AFTER.sweeps)} ORDER BY created_at LIMIT $1`,
    [limit],
  );
  return rows.map(({ id }) => id);
}

/** Removes content that nobody came for, unless it was masked or sent again since. */
export const removeAbandoned = (sql: Queryable, id: string): Promise<object[]> =>
  sql.query(`DELETE FROM contents WHERE id = $1 AND ${IS_OLD} AND sweeps >= ${String(ABANDONED_AFTER.sweeps)}`, [id]);

/** Counts sweeps anew for content whose workflow is still there. */
export const keepContent = (sql: Queryable, id: string): Promise<object[]> =>
  sql.query('UPDATE contents SET sweeps = 0 WHERE id = $1 AND sealed IS NOT NULL', [id]);
