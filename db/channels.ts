import type { Topic } from '../contracts/record.ts';
import type { Queryable } from './pool.ts';

export interface ChannelRow {
  readonly id: string;
  readonly owner: string;
  readonly kind: 'webhook' | 'slack';
  readonly sealed_url: Buffer;
  readonly shown_url: string;
  readonly sealed_secret: Buffer | null;
  readonly topics: Topic[];
  readonly created_by: string;
  readonly created_at: Date;
}
const COLUMNS = 'id, owner, kind, sealed_url, shown_url, sealed_secret, topics, created_by, created_at';

export async function addChannel(
  sql: Queryable,
  channel: Omit<ChannelRow, 'created_at'>,
): Promise<ChannelRow | undefined> {
  const [row] = await sql.query<ChannelRow>(
    `INSERT INTO channels (organisation_id, id, owner, kind, sealed_url, shown_url, sealed_secret, topics, created_by)
     VALUES (current_setting('app.organisation'), $1, $2, $3, $4, $5, $6, $7, $8)
     ON CONFLICT (organisation_id, id) DO UPDATE SET id = EXCLUDED.id RETURNING ${COLUMNS}`,
    [
      channel.id,
      channel.owner,
      channel.kind,
      channel.sealed_url,
      channel.shown_url,
      channel.sealed_secret,
      channel.topics,
      channel.created_by,
    ],
  );
  return row;
}

export const listChannels = (sql: Queryable, owners: readonly string[] | null): Promise<ChannelRow[]> =>
  sql.query<ChannelRow>(`SELECT ${COLUMNS} FROM channels WHERE $1::text[] IS NULL OR owner = ANY ($1) ORDER BY id`, [
    owners,
  ]);

export const findChannel = async (sql: Queryable, id: string): Promise<ChannelRow | undefined> =>
  (await sql.query<ChannelRow>(`SELECT ${COLUMNS} FROM channels WHERE id = $1`, [id]))[0];

export const removeChannel = (sql: Queryable, id: string): Promise<object[]> =>
  sql.query('DELETE FROM channels WHERE id = $1', [id]);
