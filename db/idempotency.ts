import type { Queryable } from './pool.ts';

export interface Reservation {
  /** The id that this key stands for: the first request chose it, every repetition gets it. */
  readonly resource_id: string;
  readonly body_hash: Buffer;
  readonly status: number | null;
  /** The first answer, sealed: it may hold values in clear. */
  readonly sealed_response: Buffer | null;
}
export interface KeyOf {
  readonly principal_id: string;
  readonly operation: string;
  readonly key: string;
}

/** Reserves a key for a request, or tells what it was reserved for. One statement, so that duplicates cannot race. */
export async function reserve(
  sql: Queryable,
  { principal_id, operation, key }: KeyOf,
  bodyHash: Buffer,
  resourceId: string,
): Promise<Reservation> {
  const [row] = await sql.query<Reservation>(
    `INSERT INTO idempotency AS kept (organisation_id, principal_id, operation, key, body_hash, resource_id)
     VALUES (current_setting('app.organisation'), $1, $2, $3, $4, $5)
     ON CONFLICT (organisation_id, principal_id, operation, key) DO UPDATE SET key = kept.key
     RETURNING resource_id, body_hash, status, sealed_response`,
    [principal_id, operation, key, bodyHash, resourceId],
  );
  if (!row) throw new Error('The idempotency key could not be reserved.');
  return row;
}

/** Keeps the first answer for repetitions. */
export const keepAnswer = (
  sql: Queryable,
  { principal_id, operation, key }: KeyOf,
  status: number,
  sealedResponse: Buffer,
): Promise<object[]> =>
  sql.query(
    `UPDATE idempotency SET status = $4, sealed_response = $5
     WHERE principal_id = $1 AND operation = $2 AND key = $3 AND status IS NULL`,
    [principal_id, operation, key, status, sealedResponse],
  );
