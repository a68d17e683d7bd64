import type { DeliveryStart } from '../contracts/deliveries.ts';
import type { Queryable } from './pool.ts';

export interface DeliveryRow {
  readonly id: string;
  readonly channel_id: string;
  readonly event: Readonly<Record<string, unknown>>;
  readonly status: 'pending' | 'delivered' | 'failed';
  readonly created_at: Date;
}

/** Counts a try and gives what is to be sent. */
export const beginDelivery = async (sql: Queryable, id: string): Promise<DeliveryRow | undefined> =>
  (
    await sql.query<DeliveryRow>(
      `UPDATE deliveries SET attempts = attempts + 1, updated_at = now() WHERE id = $1
       RETURNING id, channel_id, event, status, created_at`,
      [id],
    )
  )[0];

export const endDelivery = (
  sql: Queryable,
  id: string,
  status: DeliveryRow['status'],
  error: string | null,
): Promise<object[]> =>
  sql.query('UPDATE deliveries SET status = $2, last_error = $3, updated_at = now() WHERE id = $1', [
    id,
    status,
    error,
  ]);

/** Deliveries of an organisation that nobody tried for a minute. */
export const untriedDeliveries = (sql: Queryable): Promise<DeliveryStart[]> =>
  sql.query<DeliveryStart>(
    `SELECT organisation_id, id AS delivery_id FROM deliveries
     WHERE status = 'pending' AND attempts = 0 AND updated_at < now() - interval '1 minute' ORDER BY updated_at LIMIT 500`,
  );

/** Removes what nobody needs any more: answers to repetitions and told events after a day, deliveries after a month. */
export async function sweep(sql: Queryable): Promise<void> {
  await sql.query("DELETE FROM idempotency WHERE created_at < now() - interval '1 day'");
  await sql.query("DELETE FROM outbox WHERE created_at < now() - interval '1 day'");
  await sql.query("DELETE FROM deliveries WHERE status <> 'pending' AND updated_at < now() - interval '30 days'");
}

/** Every organisation there is. */
export const organisationIds = async (sql: Queryable): Promise<string[]> =>
  (await sql.query<{ id: string }>('SELECT organisation_ids() AS id')).map((row) => row.id);
