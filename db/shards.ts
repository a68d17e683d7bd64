import type { Queryable } from './pool.ts';

export interface ShardRow {
  readonly session_id: string;
  readonly name: string;
  readonly version: number;
  readonly readers: string[];
  readonly content: unknown;
  readonly written_by: string;
  readonly updated_at: Date;
}
const COLUMNS = 'session_id, name, version, readers, content, written_by, updated_at';

/** A shard, locked until the transaction ends where it is going to be written. */
export const findShard = async (
  sql: Queryable,
  sessionId: string,
  name: string,
  lock = false,
): Promise<ShardRow | undefined> =>
  (
    await sql.query<ShardRow>(
      `SELECT ${COLUMNS} FROM shards WHERE session_id = $1 AND name = $2 ${lock ? 'FOR UPDATE' : ''}`,
      [sessionId, name],
    )
  )[0];

export const shardsOf = (sql: Queryable, sessionId: string): Promise<{ name: string; readers: string[] }[]> =>
  sql.query('SELECT name, readers FROM shards WHERE session_id = $1 ORDER BY name', [sessionId]);

export type NewShard = Omit<ShardRow, 'version' | 'updated_at'>;

/** Adds a shard at version 1; undefined where it exists. */
export const addShard = async (sql: Queryable, shard: NewShard): Promise<ShardRow | undefined> =>
  (
    await sql.query<ShardRow>(
      `INSERT INTO shards (organisation_id, session_id, name, version, readers, content, written_by)
       VALUES (current_setting('app.organisation'), $1, $2, 1, $3, $4, $5) ON CONFLICT DO NOTHING RETURNING ${COLUMNS}`,
      [shard.session_id, shard.name, shard.readers, JSON.stringify(shard.content), shard.written_by],
    )
  )[0];

/** Overwrites a shard of exactly this version; undefined where it is another by now. */
export const replaceShard = async (sql: Queryable, shard: NewShard, version: number): Promise<ShardRow | undefined> =>
  (
    await sql.query<ShardRow>(
      `UPDATE shards SET version = version + 1, readers = $3, content = $4, written_by = $5, updated_at = now()
       WHERE session_id = $1 AND name = $2 AND version = $6 RETURNING ${COLUMNS}`,
      [shard.session_id, shard.name, shard.readers, JSON.stringify(shard.content), shard.written_by, version],
    )
  )[0];
