import { z } from 'zod';

/** Any JSON value. */
export type Json = string | number | boolean | null | Json[] | { [key: string]: Json };

/** Largest payload of a task, approval or shard, in bytes of UTF-8 JSON (TASK-1). */
export const MAX_PAYLOAD_BYTES = 256 * 1024;
/** Deepest nesting of JSON that is accepted; deeper bodies serve only to hurt parsers. */
export const MAX_JSON_DEPTH = 64;

function utf8Bytes(text: string): number {
  let bytes = 0;
  for (const char of text) {
    const code = char.codePointAt(0) ?? 0;
    bytes += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
  }
  return bytes;
}

/** Bytes that a value takes as UTF-8 JSON. */
export const jsonBytes = (value: unknown): number => (value === undefined ? 0 : utf8Bytes(JSON.stringify(value)));

const TOO_LARGE = 'is larger than 256 KiB of JSON; store it elsewhere and send a reference';
const isObject = (value: unknown): boolean => typeof value === 'object' && value !== null && !Array.isArray(value);

/** A JSON value of at most 256 KiB. Not z.json(): its recursive schema is of no use to a model that reads it. */
export const JsonValue = z
  .custom<Json>((value) => value !== undefined, { error: 'must be a JSON value' })
  .refine((value) => jsonBytes(value) <= MAX_PAYLOAD_BYTES, { error: TOO_LARGE })
  .describe('Any JSON value, at most 256 KiB');

/** A JSON object; its size is bounded by what holds it. */
export const JsonMap = z.custom<Record<string, Json>>(isObject, { error: 'must be a JSON object' });

/** A JSON object of at most 256 KiB. */
export const JsonObject = JsonMap.refine((value) => jsonBytes(value) <= MAX_PAYLOAD_BYTES, { error: TOO_LARGE })
  .meta({ type: 'object' })
  .describe('Any JSON object, at most 256 KiB');

/** A JSON Schema (draft 2020-12), at most 16 KiB; checked for being a valid schema when it is used. */
export const JsonSchema = JsonMap.refine((value) => jsonBytes(value) <= 16 * 1024, { error: 'is larger than 16 KiB' })
  .meta({ type: 'object' })
  .describe('A JSON Schema (draft 2020-12), at most 16 KiB');
