import type { Operation } from '../contracts/operation.ts';

/** One request as it is sent, and sent again. */
export interface HttpRequest {
  readonly url: string;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** What every request of one call carries. */
export interface RequestMarks {
  readonly key: string;
  readonly traceId: string;
  readonly idempotencyKey: string;
}

type Fields = Record<string, unknown>;

/** Builds the request of an operation: path and If-Match from the input, the rest as query or JSON body. */
export function buildRequest(operation: Operation, input: Fields, baseUrl: string, marks: RequestMarks): HttpRequest {
  const fields: Fields = { ...input };
  const path = fillPath(operation.path, fields);
  const headers = marksOf(marks, operation, fields);
  const base = baseUrl.replace(/\/+$/, '');
  if (operation.method === 'get' || operation.method === 'delete') {
    return { url: base + path + queryOf(fields), method: operation.method.toUpperCase(), headers };
  }
  return {
    url: base + path,
    method: operation.method.toUpperCase(),
    headers: { ...headers, 'content-type': 'application/json; charset=utf-8' },
    body: JSON.stringify(fields),
  };
}

function fillPath(path: string, fields: Fields): string {
  return path.replace(/\{(\w+)\}/g, (_, name: string) => {
    const value = take(fields, name);
    if (typeof value !== 'string' || value === '') throw new TypeError(`${name} is missing in the input of ${path}`);
    return encodeURIComponent(value);
  });
}

function marksOf(marks: RequestMarks, operation: Operation, fields: Fields): Record<string, string> {
  const match = operation.ifMatch === undefined ? undefined : take(fields, operation.ifMatch);
  return {
    accept: operation.textField === undefined ? 'application/json' : 'text/plain, application/problem+json',
    authorization: `Bearer ${marks.key}`,
    'x-trace-id': marks.traceId,
    ...(operation.method === 'get' ? {} : { 'idempotency-key': marks.idempotencyKey }),
    ...(typeof match === 'string' || typeof match === 'number' ? { 'if-match': entityTag(String(match)) } : {}),
  };
}

/** Entity tags travel quoted (RFC 9110); a version is written without quotes by models and people. */
const entityTag = (version: string): string => (/^(\*|(W\/)?".*")$/.test(version) ? version : `"${version}"`);

function queryOf(fields: Fields): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(fields)) {
    if (value !== undefined) query.set(name, typeof value === 'string' ? value : JSON.stringify(value));
  }
  return query.size > 0 ? `?${query.toString()}` : '';
}

function take(fields: Fields, name: string): unknown {
  const value = fields[name];
  Reflect.deleteProperty(fields, name);
  return value;
}
