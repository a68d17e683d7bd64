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

  /** The JSON Schema of a zod schema; what it defines by name moves to the components of the document. */
  of(schema: z.ZodType, io: 'input' | 'output'): Schema {
    const { $schema: _, $defs = {}, ...json } = z.toJSONSchema(schema, { io, unrepresentable: 'any' });
    for (const [name, definition] of Object.entries($defs)) this.schemas[name] = lifted(definition);
    return lifted(json);
  }
}

/** References within one schema become references within the document. */
const lifted = (schema: unknown): Schema =>
  JSON.parse(JSON.stringify(schema).replaceAll('"#/$defs/', '"#/components/schemas/')) as Schema;

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
