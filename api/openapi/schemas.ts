import { z } from 'zod';

import { ERRORS } from '../../contracts/errors.ts';

export type Schema = Record<string, unknown>;

/** Fields of an object schema. */
export interface Parts {
  readonly properties: Record<string, Schema>;
  readonly required: readonly string[];
}

/** Schemas that name themselves, which the document holds once. */
export class Components {
  readonly schemas: Record<string, Schema> = { Problem: PROBLEM };

  /**
   * The JSON Schema of a zod schema; what it defines by name moves to the components of the document, and what contains
   * itself without having a name gets the one of its parent.
   */
  of(schema: z.ZodType, io: 'input' | 'output', parent: string): Schema {
    const { $schema: _, $defs = {}, ...json } = z.toJSONSchema(schema, { io, unrepresentable: 'any' });
    const names = new Map(Object.keys($defs).map((name) => [name, nameOf(name, io, parent)]));
    for (const [name, definition] of Object.entries($defs))
      this.schemas[names.get(name) ?? name] = lifted(definition, names);
    return lifted(json, names);
  }
}

/** Schemas without a name are numbered in each document that zod makes: elsewhere the same number is another schema. */
function nameOf(name: string, io: 'input' | 'output', parent: string): string {
  const [, number] = /^__schema(\d+)$/.exec(name) ?? [];
  if (number === undefined) return name;
  const words = `${parent}_${io}`.split('_').map((word) => word.slice(0, 1).toUpperCase() + word.slice(1));
  return words.join('') + (number === '0' ? '' : number);
}

/** References within one schema become references within the document. */
const lifted = (schema: unknown, names: ReadonlyMap<string, string>): Schema =>
  JSON.parse(
    JSON.stringify(schema).replaceAll(
      /"#\/\$defs\/([^"/]+)/g,
      (_, name: string) => `"#/components/schemas/${names.get(name) ?? name}`,
    ),
  ) as Schema;

export const partsOf = (schema: Schema): Parts => ({
  properties: (schema['properties'] ?? {}) as Record<string, Schema>,
  required: (schema['required'] ?? []) as string[],
});

const PROBLEM: Schema = {
  type: 'object',
  description: 'Problem details (RFC 9457)',
  required: ['type', 'title', 'status', 'code', 'detail', 'advice', 'trace_id'],
  properties: {
    type: { type: 'string' },
    title: { type: 'string' },
    status: { type: 'integer' },
    code: { type: 'string', enum: Object.keys(ERRORS) },
    detail: { type: 'string' },
    advice: { type: 'string' },
    trace_id: { type: 'string' },
    errors: {
      type: 'array',
      items: {
        type: 'object',
        properties: { pointer: { type: 'string' }, detail: { type: 'string' } },
        required: ['pointer', 'detail'],
      },
    },
    state: { type: 'string', description: 'The state that refused (409)' },
    allowed: { type: 'array', items: { type: 'string' }, description: 'What that state allows (409)' },
  },
};
