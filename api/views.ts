import type { Json } from '../contracts/json.ts';
import type { MaskCounts, MaskedSummary } from '../contracts/content.ts';
import type { EntityType, Principal } from '../contracts/principal.ts';
import { isBigint } from '../db/bigint.ts';
import type { Guard } from '../privacy/guard.ts';
import { ApiError } from './problem.ts';

/** A date as clients read it. */
export const iso = (date: Date): string => date.toISOString();
export const isoOrNull = (date: Date | null): string | null => date?.toISOString() ?? null;

/** Masked texts in clear, where the reader's clearance allows; everything else stays as it is. */
export const inClear = async <T>(guard: Guard, reader: Principal, masked: T): Promise<T> =>
  (await guard.unmask(reader.organisation_id, masked as Json, reader.clearance)) as T;

/** What was masked, and which of it somebody with this clearance sees. */
export const maskedSummary = (found: MaskCounts, clearance: readonly EntityType[]): MaskedSummary =>
  (Object.entries(found) as [EntityType, number][]).map(([type, count]) => ({
    type,
    count,
    visible_to_receiver: clearance.includes(type),
  }));

/** A page and the cursor behind it: one row more than asked for tells that there is more. */
export function pageOf<R extends { readonly id: string }>(
  rows: readonly R[],
  limit: number,
): { readonly rows: readonly R[]; readonly next: string | null } {
  const page = rows.slice(0, limit);
  const last = page.at(-1);
  return { rows: page, next: rows.length > limit && last ? cursorOf(last.id) : null };
}

/** A cursor that says where to go on; opaque to clients. */
export const cursorOf = (id: string): string => Buffer.from(id).toString('hex');

const badCursor = (): ApiError =>
  new ApiError({ code: 'invalid_input', detail: 'cursor: must be the cursor of an earlier answer.' }, [
    { pointer: '/cursor', detail: 'must be the cursor of an earlier answer' },
  ]);

/** The id inside a cursor. */
export function afterOf(cursor: string | undefined): string | undefined {
  const text = cursor === undefined ? undefined : Buffer.from(cursor, 'hex').toString();
  if (text !== undefined && !/^[\w:.-]+$/.test(text)) throw badCursor();
  return text;
}

/** The position in the record inside a cursor: a bigint of Postgres. */
export function positionOf(cursor: string | undefined): string | undefined {
  const text = afterOf(cursor);
  if (text !== undefined && !isBigint(text)) throw badCursor();
  return text;
}
