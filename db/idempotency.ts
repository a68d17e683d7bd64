import type { Queryable } from './pool.ts';

export interface Reservation {
  /** The id that this key stands for: the first request chose it, every repetition gets it. */
  readonly resource_id: string;
  readonly body_hash: Buffer;
  readonly status: number | null;
  /** The first answer, sealed: it may hold values in clear. */
  readonly sealed_response: Buffer | null;
}
/** A reservation as the request that asked for it sees it. */
export interface Reserved extends Reservation {
  /** Whether this request is the first with its key. */
  readonly fresh: boolean;
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
): Promise<Reserved> {
  // A row that was there already carries the lock of this update in xmax.
  const [row] = await sql.query<Reserved>(
    `INSERT INTO idempotency AS kept (organisation_id, principal_id, operation, key, body_hash, resource_id)
     VALUES (current_setting('app.organisation'), $1, $2, $3, $4, $5)
     ON CONFLICT (organisation_id, principal_id, operation, key) DO UPDATE SET key = kept.key
     RETURNING resource_id, body_hash, status, sealed_response, xmax = 0 AS fresh`,
    [principal_id, operation, key, bodyHash, resourceId],
  );
  if (!row) throw new Error('The idempotency key could not be reserved.');
  return row;
}

/** What a key was reserved for, once that was answered. */
export async function findAnswered(
  sql: Queryable,
  { principal_id, operation, key }: KeyOf,
): Promise<Reservation | undefined> {
  const [row] = await sql.query<Reservation>(
    `SELECT resource_id, body_hash, status, sealed_response FROM idempotency
     WHERE principal_id = $1 AND operation = $2 AND key = $3 AND status IS NOT NULL`,
    [principal_id, operation, key],
  );
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

const COLUMNS = 'resource_id, body_hash, status, sealed_response';
const OF_KEY = 'principal_id = $1 AND operation = $2 AND key = $3';
/** A request that was not answered for this long is not going to be: its process ended. */
const GIVEN_UP = "interval '1 minute'";

/**
 * The reservation once its request was answered; or, unanswered, once it was given up: it is then the caller's, and of
 * several callers only one gets it. Undefined while the first request is under way.
 */
export async function answeredOrTakenOver(
  sql: Queryable,
  { principal_id, operation, key }: KeyOf,
): Promise<Reservation | undefined> {
  const values = [principal_id, operation, key];
  const [answered] = await sql.query<Reservation>(
    `SELECT ${COLUMNS} FROM idempotency WHERE ${OF_KEY} AND status IS NOT NULL`,
    values,
  );
  if (answered) return answered;
  const [taken] = await sql.query<Reservation>(
    `UPDATE idempotency SET created_at = now()
     WHERE ${OF_KEY} AND status IS NULL AND created_at < now() - ${GIVEN_UP} RETURNING ${COLUMNS}`,
    values,
  );
  return taken;
}

/** Gives up a reservation that was not answered, so that the next request with its key takes it over. */
export const setFree = (sql: Queryable, { principal_id, operation, key }: KeyOf): Promise<object[]> =>
  sql.query(`UPDATE idempotency SET created_at = now() - 2 * ${GIVEN_UP} WHERE ${OF_KEY} AND status IS NULL`, [
    principal_id,
    operation,
    key,
  ]);
