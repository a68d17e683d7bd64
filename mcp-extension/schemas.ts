import type { Tool } from '@modelcontextprotocol/server';
import { z } from 'zod';

import type { Operation } from '../contracts/operation.ts';

type JsonSchema = Record<string, unknown>;

/** The schemas of a tool, as it is listed. They are shown but check nothing: our own check answers with every fault. */
export type ToolSchemas = Pick<Tool, 'inputSchema' | 'outputSchema'>;

const WRAPPED = {
  type: 'object',
  additionalProperties: true,
  description: 'Only for older clients: all fields of this tool, wrapped in one object. Send them flat instead.',
};

const known = new WeakMap<Operation, ToolSchemas>();

/** The advertised schemas of an operation's tool; made once, since HTTP makes a server for each request. */
export function toolSchemas(operation: Operation): ToolSchemas {
  const schemas = known.get(operation) ?? {
    inputSchema: inputSchemaOf(operation) as Tool['inputSchema'],
    outputSchema: jsonSchemaOf(operation.output),
  };
  known.set(operation, schemas);
  return schemas;
}

function inputSchemaOf(operation: Operation): JsonSchema {
  const schema = jsonSchemaOf(operation.input);
  if (operation.tool?.wrapped !== true) return schema;
  return { ...schema, properties: { ...(schema['properties'] as JsonSchema), params: WRAPPED } };
}

/** Outputs are described as inputs are, so that a newer API may add fields to what clients check. */
const jsonSchemaOf = (schema: z.ZodType): JsonSchema => z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' });
