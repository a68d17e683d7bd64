import { z } from 'zod';

import { ERRORS } from '../contracts/errors.ts';
import type { ErrorCode } from '../contracts/errors.ts';
import type { Operation } from '../contracts/operation.ts';

type Schema = Record<string, unknown>;

/** Failures that every operation can meet. */
const COMMON: readonly ErrorCode[] = [
  'malformed_body',
  'invalid_input',
  'unauthenticated',
  'forbidden',
  'payload_too_large',
  'unsupported_media_type',
  'rate_limited',
  'internal',
  'unavailable',
];

function schemaOf(schema: z.ZodType, io: 'input' | 'output'): Schema {
  const { $schema: _, ...json } = z.toJSONSchema(schema, { io, unrepresentable: 'any' });
  return json;
}

const pathNames = (path: string): string[] => [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name ?? '');

interface Parts {
  readonly properties: Record<string, Schema>;
  readonly required: readonly string[];
}

function parametersOf(operation: Operation, { properties, required }: Parts): Schema[] {
  const inPath = pathNames(operation.path);
  const inQuery = operation.method === 'get' || operation.method === 'delete';
  const parameters: Schema[] = Object.entries(properties).flatMap(([name, schema]) => {
    if (inPath.includes(name))
      return [{ name, in: 'path', required: true, schema, description: schema['description'] }];
    return inQuery
      ? [{ name, in: 'query', required: required.includes(name), schema, description: schema['description'] }]
      : [];
  });
  if (operation.method !== 'get')
    parameters.push({
      name: 'Idempotency-Key',
      in: 'header',
      schema: { type: 'string', minLength: 1, maxLength: 255, pattern: '^[\\x21-\\x7e]+$' },
      description: 'The same key and request give the first answer again',
    });
  if (operation.ifMatch !== undefined)
    parameters.push({
      name: 'If-Match',
      in: 'header',
      schema: { type: 'string' },
      description: 'The version that was read',
    });
  parameters.push({
    name: 'X-Trace-Id',
    in: 'header',
    schema: { type: 'string', pattern: '^[\\w.:-]{1,100}$' },
    description: 'Follows the request through every system',
  });
  return parameters;
}

function bodyOf(operation: Operation, input: Schema, parts: Parts): Schema {
  if (operation.method === 'get' || operation.method === 'delete') return {};
  const inPath = pathNames(operation.path);
  const keep = ([name]: [string, unknown]): boolean => !inPath.includes(name);
  const required = parts.required.filter((name) => !inPath.includes(name));
  const schema = { ...input, properties: Object.fromEntries(Object.entries(parts.properties).filter(keep)), required };
  return { requestBody: { required: required.length > 0, content: { 'application/json': { schema } } } };
}

function responsesOf(operation: Operation): Schema {
  const output = schemaOf(operation.output, 'output');
  const list =
    operation.bareList === undefined ? undefined : (output['properties'] as Record<string, Schema>)[operation.bareList];
  const content =
    operation.textField === undefined
      ? { 'application/json': { schema: list ?? output } }
      : { 'text/plain': { schema: { type: 'string' } } };
  const byStatus = new Map<number, ErrorCode[]>();
  for (const code of new Set([
    ...COMMON,
    ...(operation.errors ?? []),
    ...(operation.method === 'get' ? [] : (['idempotency_key_reused'] as const)),
  ])) {
    const { status } = ERRORS[code];
    byStatus.set(status, [...(byStatus.get(status) ?? []), code]);
  }
  const failures = [...byStatus].map(([status, codes]): [string, Schema] => [
    String(status),
    {
      description: codes.map((code) => ERRORS[code].title).join('; '),
      content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
    },
  ]);
  return {
    [String(operation.status ?? 200)]: { description: operation.summary, content },
    ...Object.fromEntries(failures),
  };
}

function pathItem(operation: Operation): Schema {
  const input = schemaOf(operation.input, 'input');
  const parts: Parts = {
    properties: (input['properties'] ?? {}) as Record<string, Schema>,
    required: (input['required'] ?? []) as string[],
  };
  return {
    operationId: operation.name,
    summary: operation.summary,
    ...(operation.description !== undefined && { description: operation.description }),
    tags: [operation.path.split('/')[1] ?? 'other'],
    parameters: parametersOf(operation, parts),
    ...bodyOf(operation, input, parts),
    responses: responsesOf(operation),
  };
}

const PROBLEM = {
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

/** The OpenAPI 3.1 document of the operations. */
export function openApiDocument(operations: readonly Operation[]): Schema {
  const paths: Record<string, Schema> = {};
  for (const operation of operations)
    paths[operation.path] = { ...paths[operation.path], [operation.method]: pathItem(operation) };
  return {
    openapi: '3.1.0',
    info: {
      title: 'Switchboard',
      version: '0.1.0',
      description: 'Tasks, approvals and sessions between agents and people. Every path is served under /api too.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/' }],
    security: [{ key: [] }],
    paths,
    components: { schemas: { Problem: PROBLEM }, securitySchemes: { key: { type: 'http', scheme: 'bearer' } } },
  };
}
