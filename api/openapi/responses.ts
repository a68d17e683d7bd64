import { ERRORS } from '../../contracts/errors.ts';
import type { ErrorCode } from '../../contracts/errors.ts';
import type { Operation } from '../../contracts/operation.ts';
import type { Components, Schema } from './schemas.ts';

/** Failures that every operation can meet. */
const COMMON: readonly ErrorCode[] = [
  'malformed_body',
  'invalid_input',
  'too_deep',
  'unauthenticated',
  'forbidden',
  'method_not_allowed',
  'organisation_erased',
  'payload_too_large',
  'unsupported_media_type',
  'rate_limited',
  'internal',
  'unavailable',
];

const header = (description: string, schema: Schema = { type: 'string' }, required = true): Schema => ({
  description,
  required,
  schema,
});
const TRACE = { 'X-Trace-Id': header('The trace this request belongs to') };
const RETRY = { 'Retry-After': header('Seconds to wait', { type: 'string', pattern: '^\\d+$' }) };

/** Headers that come with a failure of a status. */
const FAILURE_HEADERS: Readonly<Record<number, Schema>> = {
  401: { 'WWW-Authenticate': header('How to authenticate', { type: 'string', pattern: '^Bearer( |$)' }) },
  405: { Allow: header('Methods that the path has') },
  429: RETRY,
  503: RETRY,
};

/** A failure of each status, with the codes it can carry. */
export function failuresOf(codes: Iterable<ErrorCode>): Schema {
  const byStatus = new Map<number, ErrorCode[]>();
  for (const code of new Set(codes)) {
    const { status } = ERRORS[code];
    byStatus.set(status, [...(byStatus.get(status) ?? []), code]);
  }
  return Object.fromEntries(
    [...byStatus].map(([status, some]) => [
      String(status),
      {
        description: some.map((code) => `${ERRORS[code].title} (\`${code}\`)`).join('; '),
        headers: { ...TRACE, ...FAILURE_HEADERS[status] },
        content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
      },
    ]),
  );
}

function contentOf(operation: Operation, components: Components): Schema {
  if (operation.textField !== undefined) return { 'text/plain': { schema: { type: 'string' } } };
  const output = components.of(operation.output, 'output', operation.name);
  const list = (output['properties'] as Record<string, Schema> | undefined)?.[operation.bareList ?? ''];
  return { 'application/json': { schema: list ?? output } };
}

const successHeaders = (operation: Operation): Schema => ({
  ...TRACE,
  ...(operation.method !== 'get' && {
    'Idempotent-Replayed': header('The first answer to this key', { type: 'string', const: 'true' }, false),
  }),
  ...(operation.bareList !== undefined && { Link: header('The next page, rel="next"', undefined, false) }),
  ...(operation.path.includes('/shards/') && { ETag: header('The version, for If-Match') }),
});

/** Every answer of an operation. */
export function responsesOf(operation: Operation, components: Components): Schema {
  const codes: ErrorCode[] = [
    ...COMMON,
    ...(operation.errors ?? []),
    ...(operation.method === 'get' ? [] : (['idempotency_key_reused'] as const)),
  ];
  return {
    [String(operation.status ?? 200)]: {
      description: operation.summary,
      headers: successHeaders(operation),
      content: contentOf(operation, components),
    },
    ...failuresOf(codes),
  };
}
