import type { z } from 'zod';

import type { FieldFault } from '../contracts/errors.ts';
import type { Operation } from '../contracts/operation.ts';

const MOST_FAULTS = 20;

type Fields = Record<string, unknown>;

/** The input of a tool call, or what is wrong with each field of it. */
export type ToolArguments =
  { readonly ok: true; readonly input: Fields } | { readonly ok: false; readonly faults: readonly FieldFault[] };

/** Reads a tool's arguments: flat, or as older clients send them, wrapped in `params` (an object or its JSON). */
export function readArguments(operation: Operation, given: unknown): ToolArguments {
  const fields = operation.tool?.wrapped === true ? unwrap(given) : given;
  if (fields === undefined) {
    return { ok: false, faults: [{ pointer: '/params', detail: 'must be an object, or the JSON text of one' }] };
  }
  const present = withoutNulls(fields ?? {});
  const parsed = operation.input.safeParse(present);
  if (parsed.success) return { ok: true, input: present as Fields };
  const faults = parsed.error.issues.flatMap((issue) => faultsOf(issue, operation.name));
  return { ok: false, faults: faults.slice(0, MOST_FAULTS) };
}

/** Models often send null for what they leave out; no field of ours takes null at the top but a result, which it then lacks. */
const withoutNulls = (fields: unknown): unknown =>
  isObject(fields) ? Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null)) : fields;

/** Fields beside `params` win over those in it; undefined where `params` is no object. */
function unwrap(given: unknown): unknown {
  if (!isObject(given) || !('params' in given)) return given;
  const { params, ...beside } = given;
  const inner = typeof params === 'string' ? parseObject(params) : params;
  if (!isObject(inner)) return undefined;
  return { ...inner, ...beside };
}

function parseObject(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

const isObject = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function faultsOf(issue: z.core.$ZodIssue, tool: string): FieldFault[] {
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({ pointer: pointerTo([...issue.path, key]), detail: `is not a field of ${tool}` }));
  }
  return [{ pointer: pointerTo(issue.path), detail: readable(issue.message) }];
}

/** A JSON Pointer (RFC 6901). */
const pointerTo = (path: readonly PropertyKey[]): string =>
  path.map((step) => `/${String(step).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');

function readable(message: string): string {
  const missing = /^Invalid input: expected (.+), received undefined$/.exec(message);
  if (missing) return `is missing (${missing[1] ?? 'a value'})`;
  return message.replace(/^Invalid (?:input|option): /, '');
}
