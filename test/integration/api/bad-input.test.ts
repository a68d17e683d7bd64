import test from 'ava';

import { operations } from '../../../contracts/index.ts';
import type { Operation } from '../../../contracts/operation.ts';
import { callerOf } from '../../support/caller.ts';
import type { Body } from '../../support/caller.ts';
import { rest } from '../../support/rest.ts';
import type { Answer } from '../../support/rest.ts';
import { rowCounts } from '../../support/scene.ts';
import { startStack } from '../../support/stack.ts';
import type { TestStack } from '../../support/stack.ts';

let stack: TestStack;
test.before(async (t) => {
  t.timeout(180_000);
  // More requests than one caller may make in so short a time.
  stack = await startStack({ limits: { requestsPerSecond: 100_000, requestsBurst: 100_000 } });
});
test.after.always(() => stack.close());

const UUID = '01928f00-0000-7000-8000-00000000dead';
/** A value for each field of a path that nobody has. */
const PATH: Readonly<Record<string, string>> = {
  task_id: `task_${UUID}`,
  approval_id: `appr_${UUID}`,
  session_id: `sess_${UUID}`,
  notification_id: `note_${UUID}`,
  channel_id: `chan_${UUID}`,
  delegation_id: `dele_${UUID}`,
  name: 'findings',
  role: 'finance',
  scope: 'role',
  id: 'finance',
};
const pathOf = ({ path }: Operation, values = PATH): string =>
  path.replaceAll(/\{(\w+)\}/g, (_, name: string) => values[name] ?? name);
const carries = ({ method }: Operation): boolean => method === 'post' || method === 'put';

/** Every answer is a problem that says no more than it should. */
function faultOf({ status, body, headers }: Answer<Body>): string | undefined {
  const text = JSON.stringify(body);
  if (status < 400 || status >= 500) return `status ${String(status)}: ${text.slice(0, 200)}`;
  if (!headers.get('content-type')?.startsWith('application/problem+json')) return 'no problem document';
  if (typeof body.code !== 'string' || typeof body.trace_id !== 'string') return 'without code or trace_id';
  if (body.trace_id !== headers.get('x-trace-id')) return 'trace_id and X-Trace-Id differ';
  if (/node_modules|\.ts:\d|SELECT |INSERT |syntax error|pg_|duplicate key/.test(text))
    return `tells too much: ${text}`;
  return undefined;
}

/** Tables that change by themselves: the record (attempts that policy refused are on it), its sealing, keys, counters. */
const BOOKKEEPING = [
  ...['audit_events', 'audit_pending', 'audit_seals', 'audit_checkpoints', 'organisation_keys'],
  ...['idempotency', 'request_limits', 'workflow_writers'],
];

/** What is never written by what is refused. */
async function kept(): Promise<Record<string, number>> {
  const counts = Object.entries(await rowCounts(stack));
  return Object.fromEntries(counts.filter(([table]) => !BOOKKEEPING.includes(table)));
}

interface Bad {
  readonly what: string;
  readonly send: (operation: Operation) => Promise<Answer<Body>>;
  readonly only?: (operation: Operation) => boolean;
  readonly status?: number;
}
const agent = () => callerOf(stack, 'finance-agent');
const administrator = () => callerOf(stack, 'Helena Voss');

const sendAs = (
  key: string | undefined,
  operation: Operation,
  body: unknown,
  headers: Record<string, string> = {},
  query = '',
): Promise<Answer<Body>> =>
  rest<Body>(stack.apiUrl, key, operation.method.toUpperCase(), pathOf(operation) + query, {
    ...(carries(operation) && { body }),
    headers,
  });
const send = (operation: Operation, body: unknown, headers: Record<string, string> = {}): Promise<Answer<Body>> =>
  sendAs(agent().key, operation, body, headers);

const deep = (levels: number): string => `{"payload":${'['.repeat(levels)}${']'.repeat(levels)}}`;
const bodies: Readonly<Record<string, { readonly body: unknown; readonly status: number }>> = {
  'malformed JSON': { body: '{"a":', status: 400 },
  'an array': { body: '[]', status: 400 },
  'a JSON text': { body: '"hello"', status: 400 },
  null: { body: 'null', status: 400 },
  'invalid UTF-8': { body: new Uint8Array([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x3a, 0x31, 0x7d]), status: 400 },
  'more than 1 MiB': { body: `{"a":"${'x'.repeat(1024 * 1024)}"}`, status: 413 },
  'JSON 200 deep': { body: deep(200), status: 400 },
  'JSON 50,000 deep': { body: deep(50_000), status: 400 },
  'NUL in a text': { body: '{"a":"x\\u0000y"}', status: 400 },
  'NUL in a key': { body: '{"x\\u0000y":1}', status: 400 },
  'half a surrogate pair': { body: '{"a":"\\ud800"}', status: 400 },
  'an unknown field': { body: { surely_unknown: 1 }, status: 400 },
  'a field __proto__': { body: '{"__proto__":{"administrator":true}}', status: 400 },
  'a field constructor': { body: '{"constructor":{"prototype":1}}', status: 400 },
};

const TABLE: Bad[] = [
  ...Object.entries(bodies).map(([what, { body, status }]) => ({
    what,
    status,
    only: carries,
    send: (operation: Operation) => send(operation, body),
  })),
  { what: 'text/plain', status: 415, only: carries, send: (o) => send(o, '{"a":1}', { 'content-type': 'text/plain' }) },
  {
    what: 'a body that says it is gzip and is not',
    only: carries,
    send: (o) => send(o, '{"a":1}', { 'content-encoding': 'gzip' }),
  },
  {
    what: 'an unknown content encoding',
    status: 415,
    only: carries,
    send: (o) => send(o, '{"a":1}', { 'content-encoding': 'lzma' }),
  },
  {
    what: 'fields in the query of a body request',
    status: 400,
    only: carries,
    send: (o) => sendAs(agent().key, o, {}, {}, '?limit=1'),
  },
  {
    what: 'an unknown query parameter',
    status: 400,
    only: (o) => !carries(o),
    send: (o) => sendAs(agent().key, o, undefined, {}, '?surely_unknown=1'),
  },
  {
    what: 'a query parameter __proto__',
    status: 400,
    only: (o) => !carries(o),
    send: (o) => sendAs(agent().key, o, undefined, {}, '?__proto__=1'),
  },
  ...['nothing', 'Bearer nonsense', 'Basic YTpi', `Bearer sbk_${'a'.repeat(12)}_${'b'.repeat(43)}`].map((value) => ({
    what: `authorization ${value.slice(0, 20)}`,
    status: 401,
    send: (o: Operation) => sendAs(undefined, o, {}, value === 'nothing' ? {} : { authorization: value }),
  })),
  ...['bad id', 'x'.repeat(101), 'a,b'].map((value) => ({
    what: `trace id ${value.slice(0, 8)}`,
    status: 400,
    send: (o: Operation) => send(o, {}, { 'x-trace-id': value }),
  })),
  {
    what: 'an idempotency key with a space',
    status: 400,
    only: (o) => o.method !== 'get' && o.name !== 'heartbeat',
    send: (o) => send(o, {}, { 'idempotency-key': 'a b' }),
  },
];

for (const { what, only = () => true, send: attempt, status } of TABLE) {
  test.serial(`X-1: every operation refuses ${what}`, async (t) => {
    const before = await kept();
    const faults: string[] = [];
    for (const operation of operations.filter(only)) {
      const answer = await attempt(operation);
      const fault =
        faultOf(answer) ??
        (status !== undefined && answer.status !== status
          ? `${String(answer.status)} ${answer.body.code} instead of ${String(status)}`
          : undefined);
      if (fault !== undefined) faults.push(`${operation.name}: ${fault}`);
    }
    t.deepEqual(faults, []);
    t.deepEqual(await kept(), before, 'nothing was written');
  });
}

// Each required field left out and each field given as values of every other type.
const WRONG: readonly unknown[] = [null, true, 1e308, -1, 1.5, '', ' ', 'x'.repeat(300_000), [], {}, [[[]]], { a: 1 }];
const wellTyped = (operation: Operation, field: string, value: unknown): boolean => {
  const shape = operation.input.shape[field] as { safeParse: (v: unknown) => { success: boolean } } | undefined;
  return shape?.safeParse(value).success ?? false;
};

test.serial('X-1: every field of every body refuses values of other types', async (t) => {
  t.timeout(300_000);
  const before = await kept();
  const faults: string[] = [];
  for (const operation of operations.filter(carries))
    for (const field of Object.keys(operation.input.shape).filter((name) => !operation.path.includes(`{${name}}`)))
      for (const value of WRONG.filter((one) => !wellTyped(operation, field, one))) {
        const answer = await send(operation, { [field]: value });
        const fault = faultOf(answer);
        if (fault !== undefined)
          faults.push(`${operation.name}.${field}=${JSON.stringify(value).slice(0, 20)}: ${fault}`);
      }
  t.deepEqual(faults, []);
  t.deepEqual(await kept(), before, 'nothing was written');
});

test.serial('X-1: ids of other kinds, of nobody and of nothing are refused in every path', async (t) => {
  const before = await kept();
  const faults: string[] = [];
  const hostile = ['x', `user_${UUID}`, '%00', '%2e%2e', '%E0%A4%A', '__proto__', "' OR 1=1--", 'a'.repeat(5_000)];
  for (const operation of operations.filter(({ path }) => path.includes('{')))
    for (const name of [...operation.path.matchAll(/\{(\w+)\}/g)].map(([, field]) => field ?? ''))
      for (const value of hostile) {
        const path = pathOf(operation, { ...PATH, [name]: value });
        // Clients resolve dots themselves, in every spelling (WHATWG URL): what is asked for then is another path.
        if (new URL(path, stack.apiUrl).pathname.split('/').length < path.split('/').length) continue;
        const extra =
          operation.name === 'pause_dispatch'
            ? { paused: true }
            : operation.name === 'write_context'
              ? { content: 1 }
              : {};
        const who = operation.name === 'pause_dispatch' ? administrator() : agent();
        const answer = await rest<Body>(stack.apiUrl, who.key, operation.method.toUpperCase(), path, {
          ...(carries(operation) && { body: extra }),
        });
        const fault = faultOf(answer);
        if (fault !== undefined) faults.push(`${operation.name} ${name}=${value.slice(0, 20)}: ${fault}`);
      }
  t.deepEqual(faults, []);
  t.deepEqual(await kept(), before, 'nothing was written');
});

/** A body for each operation that is well-formed, but about things that do not exist. */
const ACTION = { tool: 'pay', arguments: { amount: 1 } };
const ABOUT_NOTHING: Readonly<Record<string, Record<string, unknown>>> = {
  send_task: { target: 'legal', type: 'x', session_id: PATH['session_id'], payload: { secret: 'a@example.com' } },
  complete_task: { result: { secret: 'a@example.com' } },
  report_progress: { note: 'a note' },
  fail_task: { reason: 'r' },
  decline_task: { reason: 'r' },
  handoff_task: { target: 'legal', context: { a: 1 } },
  cancel_task: { reason: 'r' },
  claim_task: {},
  retry_task: {},
  request_approval: { task_id: PATH['task_id'], approver_role: 'manager', reason: 'r' },
  decide_approval: { decision: 'approve', comment: 'c' },
  revise_approval: { reason: 'r' },
  redeem_approval: { action: ACTION },
  withdraw_approval: {},
  open_session: { task_id: PATH['task_id'] },
  update_session: { event: 'activate', reason: 'r' },
  join_session: {},
  handoff_session: { to: 'legal', context: {} },
  write_context: { content: {} },
  notify: { target: 'legal', message: 'm', task_id: PATH['task_id'] },
  ack_notification: {},
};

for (const [name, body] of Object.entries(ABOUT_NOTHING))
  test.serial(`X-1: ${name} about something that does not exist is refused and leaves nothing`, async (t) => {
    const operation = operations.find((one) => one.name === name);
    if (!operation) return t.fail(`${name} is no operation`);
    // Administrators are told of refusals, hence the outbox.
    const { outbox: _, ...before } = await kept();
    const answer = await send(operation, body);
    t.is(faultOf(answer), undefined);
    t.is(answer.status, 404, JSON.stringify(answer.body));
    t.like(await kept(), before, 'nothing was written');
  });

const AGENT_QUERIES = [
  '/tasks?target=%00',
  '/tasks?target=a&target=b',
  '/tasks?limit=1&limit=2',
  '/tasks?limit=0',
  '/tasks?limit=1e400',
  '/tasks?limit=99999999999999999999',
  '/tasks?status=unknown',
  '/tasks?sort=sideways',
  '/tasks?cursor=AA', // NUL
  '/tasks?cursor=!',
  '/tasks?assignee=nobody',
  '/approvals?cursor=AA',
  '/notifications?cursor=AA',
  '/notifications?unacked=perhaps',
  '/sessions?cursor=AA',
  '/sessions?page=0',
  '/sessions?page=101',
  '/sessions?page_size=101',
  '/inbox?wait=61s',
  '/inbox?wait=forever',
  '/inbox?after=x',
  '/inbox?wait=1s&after=9999999999999999999-9999999999999999999',
  '/stream?topics=secrets',
  '/stream?topics=tasks&topics=secrets',
  '/stream?last_event_id=x',
  '/stream?last_event_id=9999999999999999999-9999999999999999999',
  '/profiles/finance/local-hints?path=%00',
  '/profiles/nobody',
  '/profiles/constructor',
  '/status/x',
  '/nowhere',
  '/%c0%ae',
  '/tasks/%',
];
const ADMINISTRATOR_QUERIES = [
  '/audit?cursor=abc', // no number
  '/audit?cursor=AA',
  '/audit?cursor=OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk', // a number beyond bigint
  '/audit?actor=%00',
  '/audit?trace_id=%00',
  '/audit?subject_id=%00',
  '/audit?action=a&action=b',
];
for (const [who, queries] of [
  ['finance-agent', AGENT_QUERIES],
  ['Helena Voss', ADMINISTRATOR_QUERIES],
] as const)
  for (const path of queries)
    test(`X-1: GET ${path} is refused`, async (t) => {
      const { key } = callerOf(stack, who);
      const answer = await rest<Body>(stack.apiUrl, key, 'GET', path);
      t.is(faultOf(answer), undefined);
    });

test('X-1: a cursor of the timeline that is none is refused', async (t) => {
  const { body } = await agent().post('/sessions', { title: 'for a cursor' });
  const answer = await agent().get(`/sessions/${body.session_id}/timeline?cursor=abc`);
  t.is(faultOf(answer), undefined);
});

test('X-1: a time that no calendar has is refused', async (t) => {
  const event = { source: 's', category: 'c', action: 'a' };
  for (const timestamp of ['0000-01-01T00:00:00Z', '2026-02-30T00:00:00Z', '2026-13-01T00:00:00Z', 'yesterday']) {
    const one = await agent().post('/audit/ingest', { ...event, timestamp });
    t.is(faultOf(one), undefined, timestamp);
    const batch = await agent().post('/audit/ingest', { events: [{ ...event, timestamp }] });
    t.is(faultOf(batch), undefined, timestamp);
  }
  const user = callerOf(stack, 'Priya Lindqvist');
  const delegate_id = stack.ids['Owen Tashiro'];
  for (const valid_until of ['0000-01-01T00:00:00Z', '9999-12-31T23:59:59Z', '2026-02-30T00:00:00Z'])
    t.is(faultOf(await user.post('/delegations', { delegate_id, valid_until })), undefined, valid_until);
});

test('X-1: a payload of more than 256 KiB is refused where a body may be larger', async (t) => {
  const value = { text: 'x'.repeat(257 * 1024) };
  const { body: session } = await agent().post('/sessions', { title: 'for payloads' });
  const attempts = [
    () => agent().post('/tasks/route', { target: 'legal', type: 'x', payload: value }),
    () => agent().post('/tasks/route', { target: 'legal', type: 'x', context: value }),
    () => agent().post('/tasks/route', { target: 'legal', task: { task_type: 'x', data: value } }),
    () => agent().post('/tasks/route', { target: 'legal', task: { task_type: 'x', more: value } }),
    () => agent().post('/approvals', { subject: 's', approver_role: 'manager', evidence: value }),
    () => agent().post('/notifications', { target: 'legal', message: 'm', data: value }),
    () => agent().post('/sessions', { metadata: value }),
    () => agent().put(`/sessions/${session.session_id}/shards/big`, { content: value }),
  ];
  const faults: unknown[] = [];
  for (const [at, attempt] of attempts.entries()) {
    const fault = faultOf(await attempt());
    if (fault !== undefined) faults.push([at, fault]);
  }
  t.deepEqual(faults, []);
});

test('X-1: numbers that JSON cannot hold are refused, never changed in silence', async (t) => {
  const answer = await agent().post('/tasks/route', '{"target":"legal","type":"x","payload":{"amount":1e400}}');
  t.is(faultOf(answer), undefined);
});

test('X-1: hostile keys inside a payload are data and come back as they were', async (t) => {
  const text = '{"target":"legal","type":"x","payload":{"__proto__":{"a":1},"constructor":{"b":2},"toString":3}}';
  const { status, body } = await agent().post('/tasks/route', text);
  t.is(status, 202, JSON.stringify(body));
  const { body: task } = await agent().get(`/tasks/${body.task_id}`);
  const entries = Object.entries(task['data'] as object).sort(([a], [b]) => a.localeCompare(b));
  t.deepEqual(entries, [
    ['__proto__', { a: 1 }],
    ['constructor', { b: 2 }],
    ['toString', 3],
  ]);
});

test('X-1: a known path with another method gets 405 and what it has; an unknown path 404', async (t) => {
  for (const { path } of operations) {
    const answer = await rest<Body>(stack.apiUrl, agent().key, 'PATCH', pathOf({ path } as Operation));
    t.is(answer.status, 405, path);
    t.truthy(answer.headers.get('allow'), path);
    t.is(answer.body.code, 'method_not_allowed');
  }
  for (const path of ['/', '/api', '/api/nowhere', '/tasks/', '/tasks/x/y/z', '/api/api/tasks/a/b/c', '/admin']) {
    const answer = await rest<Body>(stack.apiUrl, agent().key, 'POST', path);
    t.true([404, 405].includes(answer.status), `${path} ${String(answer.status)}`);
  }
});

test('X-6: every path is served under /api too', async (t) => {
  for (const path of ['/me', '/tasks', '/openapi.json', '/health/live', '/directory'])
    t.is((await agent().get(`/api${path}`)).status, 200, path);
});
