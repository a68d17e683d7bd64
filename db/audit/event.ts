import { createHash } from 'node:crypto';

import canonicalize from 'canonicalize';

import type { Json } from '../../contracts/json.ts';
import type { Queryable } from '../pool.ts';

/** Every column of an event, as it is digested, exported and put into receipts. */
export type SealedEvent = Readonly<Record<(typeof EVENT_COLUMNS)[number], Json>> & {
  readonly id: string;
  /** Of a bigint, hence text. */
  readonly position: string;
};

/** The columns that a digest covers: all there are. A migration that adds one makes a second format (see `v` of entries). */
export const EVENT_COLUMNS = [
  'position',
  'organisation_id',
  'id',
  'at',
  'actor_kind',
  'actor_id',
  'actor_role',
  'on_behalf_of',
  'action',
  'subject_kind',
  'subject_id',
  'task_id',
  'session_id',
  'outcome',
  'policies',
  'privacy',
  'details',
  'source',
  'category',
  'trace_id',
  'workflow_id',
  'sequence',
  'change_id',
  'dedupe_key',
] as const;

// Times with all their microseconds, and JSON as text: both would lose digits on their way through JavaScript's types.
const AS: Partial<Record<(typeof EVENT_COLUMNS)[number], string>> = {
  position: 'position::text',
  at: `to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS at`,
  policies: 'to_jsonb(policies)::text AS policies',
  privacy: 'privacy::text',
  details: 'details::text',
};
const SELECTED = EVENT_COLUMNS.map((column) => AS[column] ?? column).join(', ');

const LONG_NUMBER = /\d{16}/;

/** A number that JavaScript would round is kept as its digits, so that a change of the last one is seen. */
function exactly(_key: string, value: unknown, { source }: { readonly source?: string } = {}): unknown {
  return typeof value === 'number' && source !== undefined && String(value) !== source ? { $number: source } : value;
}

const parseJson = (text: string): Json => JSON.parse(text, LONG_NUMBER.test(text) ? exactly : undefined) as Json;

type Row = Readonly<Record<(typeof EVENT_COLUMNS)[number], string | number | null>>;

const eventOf = ({ id, position, ...row }: Row): SealedEvent => ({
  ...row,
  id: String(id),
  position: String(position),
  policies: parseJson(String(row.policies)),
  privacy: parseJson(String(row.privacy)),
  details: parseJson(String(row.details)),
});

/** Events by a condition, as they are sealed, in the order in which they were written. */
export const eventsWhere = async (
  sql: Queryable,
  condition: string,
  values: readonly unknown[],
): Promise<SealedEvent[]> =>
  (
    await sql.query<Row>(
      `SELECT ${SELECTED} FROM audit_events WHERE ${condition} ORDER BY audit_events.position`,
      values,
    )
  ).map(eventOf);

/** The events at these positions. */
export async function eventsAt(
  sql: Queryable,
  positions: readonly string[],
): Promise<ReadonlyMap<string, SealedEvent>> {
  const events = await eventsWhere(sql, 'position = ANY ($1::bigint[])', [positions]);
  return new Map(events.map((event) => [event.position, event]));
}

/** SHA-256 of the canonical JSON (RFC 8785) of a value, in hexadecimal. */
export const sha256 = (value: Json): string =>
  createHash('sha256')
    .update(canonicalize(value) ?? '')
    .digest('hex');

/** The digest of an event: of all of its columns. */
export const eventDigest = (event: SealedEvent): string => sha256(event);
