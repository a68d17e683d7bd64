import type { MaskCounts } from '../contracts/content.ts';
import type { Json } from '../contracts/json.ts';
import type { Queryable } from './pool.ts';

export interface ContentRow {
  readonly id: string;
  readonly sealed: Buffer | null;
  readonly masked: Json;
  readonly found: MaskCounts;
}

/** Keeps sealed content until it is masked; the same id is kept once. */
export const putSealed = (sql: Queryable, id: string, sealed: Buffer): Promise<object[]> =>
  sql.query(
    "INSERT INTO contents (organisation_id, id, sealed) VALUES (current_setting('app.organisation'), $1, $2) ON CONFLICT DO NOTHING",
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
