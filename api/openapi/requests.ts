import type { Operation } from '../../contracts/operation.ts';
import { partsOf } from './schemas.ts';
import type { Components, Parts, Schema } from './schemas.ts';

/** Names of the fields in a path: `/tasks/{task_id}` → task_id. */
export const pathNames = (path: string): string[] => [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name ?? '');

const carriesBody = ({ method }: Pick<Operation, 'method'>): boolean => method === 'post' || method === 'put';

/** A parameter of the query or the path. */
export const parameter = (
  name: string,
  place: 'path' | 'query',
  schema: Schema,
  { required }: Pick<Parts, 'required'>,
): Schema => ({
  name,
  in: place,
  required: place === 'path' || required.includes(name),
  schema,
  description: schema['description'],
});

export const TRACE_HEADER: Schema = {
  name: 'X-Trace-Id',
  in: 'header',
  schema: { type: 'string', pattern: '^[A-Za-z0-9_.:-]{0,100}$' },
  description: 'Follows the request through every system; empty counts as not sent',
};
export const KEY_HEADER: Schema = {
  name: 'Idempotency-Key',
  in: 'header',
  schema: { type: 'string', minLength: 1, maxLength: 255, pattern: '^[\\x21-\\x7e]+$' },
  description: 'The same key and request give the first answer again',
};

/** Where the fields of an operation travel, but for its body. */
export function parametersOf(operation: Operation, parts: Parts): Schema[] {
  const inPath = pathNames(operation.path);
  const fields = Object.entries(parts.properties).flatMap(([name, schema]) => {
    if (inPath.includes(name)) return [parameter(name, 'path', schema, parts)];
    return carriesBody(operation) ? [] : [parameter(name, 'query', schema, parts)];
  });
  const ifMatch = operation.ifMatch === undefined ? undefined : parts.properties[operation.ifMatch];
  return [
    ...fields,
    ...(operation.method === 'get' ? [] : [KEY_HEADER]),
    ...(ifMatch ? [{ name: 'If-Match', in: 'header', schema: ifMatch, description: 'The version that was read' }] : []),
    TRACE_HEADER,
  ];
}

/** The body: every field that is not in the path, and what the operation says beyond its fields. */
export function bodyOf(operation: Operation, input: Schema, components: Components): Schema {
  if (!carriesBody(operation)) return {};
  const inPath = pathNames(operation.path);
  const { properties, required: all } = partsOf(input);
  const kept = Object.entries(properties).filter(([name]) => !inPath.includes(name));
  const required = all.filter((name) => !inPath.includes(name));
  const { bodyForms, bodyRule } = operation;
  const schema = bodyForms
    ? { anyOf: bodyForms.map((form) => components.of(form, 'input', operation.name)) }
    : { ...input, properties: Object.fromEntries(kept), required, ...bodyRule };
  const mustBeSent = required.length > 0 || bodyForms !== undefined || bodyRule !== undefined;
  return { requestBody: { required: mustBeSent, content: { 'application/json': { schema } } } };
}
