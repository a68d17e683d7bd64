import test from 'ava';

import { heartbeat, whoAmI } from '../../../contracts/agents.ts';
import { getGooseHints } from '../../../contracts/profiles.ts';
import { readShard, writeShard } from '../../../contracts/sessions.ts';
import { listTasks } from '../../../contracts/tasks.ts';
import { createApiClient } from '../../../mcp-extension/api-client.ts';
import { nextCursor } from '../../../mcp-extension/http-answer.ts';
import { ApiProblem } from '../../../mcp-extension/problem.ts';
import { retryAfterMs, waitBefore } from '../../../mcp-extension/retry.ts';
import { json, startServer, until } from './http-server.ts';

const ME = {
  id: 'agent_x',
  kind: 'agent',
  name: 'finance-agent',
  role: 'finance',
  acts_for: null,
  administrator: false,
  clearance: [],
  organisation_id: 'org_x',
};
const AGENT = {
  id: 'agent_01928f00-0000-7000-8000-000000000001',
  name: 'finance-agent',
  role: 'finance',
  acts_for: null,
  skills: [],
  capacity: 1,
  version: '1.0.0',
  status: 'online',
  last_seen_at: null,
};
const SESSION = 'sess_01928f00-0000-7000-8000-000000000001';
const SHARD = {
  session_id: SESSION,
  name: 'findings',
  version: 4,
  readers: [],
  content: { a: 1 },
  written_by: 'x',
  updated_at: '2026-01-01T00:00:00Z',
};
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

const client = (baseUrl: string, more = {}) => createApiClient({ baseUrl, key: 'sbk_test', ...more });

test('X-2: a call carries key, idempotency key and trace id', async (t) => {
  const api = await startServer(t, (response) => json(response, 200, AGENT));
  await client(api.url)(heartbeat, { status: 'online' });
  const [request] = api.seen;
  t.is(request?.headers.authorization, 'Bearer sbk_test');
  t.regex(String(request?.headers['idempotency-key']), UUID);
  t.regex(String(request?.headers['x-trace-id']), UUID);
  t.deepEqual(JSON.parse(request?.body ?? ''), { status: 'online' });
});

test('X-2: retries keep the idempotency key and the trace id; the next call has new ones', async (t) => {
  const api = await startServer(t, (response, _, count) =>
    count < 3 ? json(response, count === 1 ? 503 : 502, {}) : json(response, 200, AGENT),
  );
  const call = client(api.url);
  await call(heartbeat, {});
  await call(heartbeat, {});
  const keys = api.seen.map(({ headers }) => headers['idempotency-key']);
  t.is(keys.length, 4);
  t.is(new Set(keys.slice(0, 3)).size, 1);
  t.not(keys[3], keys[0]);
  t.is(new Set(api.seen.slice(0, 3).map(({ headers }) => headers['x-trace-id'])).size, 1);
});

test('MCP-5: a broken connection is tried again with the same key', async (t) => {
  const api = await startServer(t, (response, _, count) =>
    count === 1 ? void response.destroy() : json(response, 200, AGENT),
  );
  await client(api.url)(heartbeat, {}, { idempotencyKey: 'mine', traceId: 'trace' });
  t.deepEqual(
    api.seen.map(({ headers }) => [headers['idempotency-key'], headers['x-trace-id']]),
    [
      ['mine', 'trace'],
      ['mine', 'trace'],
    ],
  );
});

test('MCP-5: an answer cut off in its body is tried again', async (t) => {
  const api = await startServer(t, (response, _, count) => {
    if (count > 1) return json(response, 200, ME);
    response.writeHead(200, { 'content-length': '100' }).write('{');
    setTimeout(() => response.destroy(), 20);
  });
  t.is((await client(api.url)(whoAmI, {})).name, 'finance-agent');
  t.is(api.seen.length, 2);
});

test('X-1: 4xx is not tried again and becomes a problem with all it says', async (t) => {
  const api = await startServer(t, (response) =>
    json(response, 409, {
      type: 'urn:x',
      title: 'Not possible',
      status: 409,
      code: 'illegal_transition',
      detail: 'The task is completed.',
      advice: 'See state.',
      trace_id: 'theirs',
      errors: [{ pointer: '/a', detail: 'b' }],
      state: 'completed',
      allowed: ['retry'],
    }),
  );
  const problem = await t.throwsAsync(client(api.url)(heartbeat, {}), { instanceOf: ApiProblem });
  t.is(api.seen.length, 1);
  t.is(problem.code, 'illegal_transition');
  t.is(problem.problem.trace_id, 'theirs');
  t.deepEqual(problem.problem.errors, [{ pointer: '/a', detail: 'b' }]);
  t.deepEqual(problem.facts, { state: 'completed', allowed: ['retry'] });
});

test('X-1: every failing status without a problem of ours gets a code and advice', async (t) => {
  for (const [status, code] of [
    [400, 'invalid_input'],
    [401, 'unauthenticated'],
    [404, 'not_found'],
    [302, 'invalid_input'],
    [413, 'payload_too_large'],
    [500, 'internal'],
    [503, 'unavailable'],
  ] as const) {
    const api = await startServer(t, (response) => void response.writeHead(status, { location: '/x' }).end('<html>'));
    const call = client(api.url, { retries: 0 });
    const problem = await t.throwsAsync(call(whoAmI, {}, { traceId: 'mine' }), { instanceOf: ApiProblem });
    t.is(problem.code, code, String(status));
    t.is(problem.problem.trace_id, 'mine');
    t.true(problem.problem.advice !== '');
  }
});

test('MCP-5: Retry-After is honoured, and retries end', async (t) => {
  const times: number[] = [];
  const api = await startServer(t, (response) => {
    times.push(Date.now());
    json(response, 429, { code: 'rate_limited' }, { 'retry-after': '1' });
  });
  const problem = await t.throwsAsync(client(api.url, { retries: 1 })(heartbeat, {}), { instanceOf: ApiProblem });
  t.is(problem.code, 'rate_limited');
  t.is(times.length, 2);
  t.true((times[1] ?? 0) - (times[0] ?? 0) >= 950);
});

test('MCP-5: a wait that is too long is the caller`s decision', async (t) => {
  const api = await startServer(t, (response) => json(response, 503, {}, { 'retry-after': '3600' }));
  await t.throwsAsync(client(api.url)(heartbeat, {}), { instanceOf: ApiProblem });
  t.is(api.seen.length, 1);
});

test('MCP-5: Retry-After is read as seconds and as a date; waits double, jittered', (t) => {
  t.is(retryAfterMs('2'), 2000);
  t.is(retryAfterMs('Thu, 01 Jan 2026 00:00:05 GMT', Date.parse('2026-01-01T00:00:00Z')), 5000);
  t.is(retryAfterMs('Thu, 01 Jan 2026 00:00:00 GMT', Date.parse('2026-01-01T00:01:00Z')), 0);
  t.is(retryAfterMs('soon'), undefined);
  t.is(retryAfterMs(null), undefined);
  t.is(
    waitBefore(2, undefined, () => 0.5),
    1000,
  );
  t.is(waitBefore(0, 31_000), undefined);
});

test('MCP-2: a cancelled call ends the request at once and is not tried again', async (t) => {
  const cancel = new AbortController();
  const api = await startServer(t, () => cancel.abort(new Error('cancelled by the client')));
  const calling = client(api.url)(heartbeat, {}, { signal: cancel.signal });
  await t.throwsAsync(calling, { message: 'cancelled by the client' });
  await until(() => api.aborted() === 1);
  t.is(api.seen.length, 1);
});

test('MCP-5: a cancelled call does not wait for its next attempt', async (t) => {
  const api = await startServer(t, (response) => json(response, 503, {}, { 'retry-after': '20' }));
  const started = Date.now();
  await t.throwsAsync(client(api.url)(heartbeat, {}, { signal: AbortSignal.timeout(100) }));
  t.true(Date.now() - started < 2000);
});

test('MCP-5: silence and a closed port are problems that name the API, never its credentials', async (t) => {
  const silent = await startServer(t, () => undefined);
  const quick = { retries: 0, timeoutMs: 50 };
  const slow = await t.throwsAsync(client(silent.url, quick)(whoAmI, {}), { instanceOf: ApiProblem });
  t.is(slow.code, 'unavailable');
  t.regex(slow.message, /no answer in 50 ms/);
  const down = await t.throwsAsync(client('http://u:secret@127.0.0.1:1/x', quick)(whoAmI, {}), {
    instanceOf: ApiProblem,
  });
  t.is(down.code, 'unavailable');
  t.notRegex(down.message, /secret/);
});

test('MCP-5: without a usable key nothing is sent', async (t) => {
  const api = await startServer(t, (response) => json(response, 200, ME));
  for (const key of [undefined, '', ' ', 'a b', 'ключ']) {
    const call = createApiClient({ baseUrl: api.url, key });
    t.is((await t.throwsAsync(call(whoAmI, {}), { instanceOf: ApiProblem })).code, 'unauthenticated');
  }
  t.is(api.seen.length, 0);
});

test('MCP-2: path, query, If-Match and body come from the input', async (t) => {
  const api = await startServer(t, (response, { url }) =>
    url.startsWith('/api/tasks') ? json(response, 200, []) : json(response, 200, SHARD),
  );
  const call = client(`${api.url}/api/`);
  await call(readShard, { session_id: SESSION, name: 'findings' });
  await call(writeShard, { session_id: SESSION, name: 'findings', content: 1, if_match: '4' });
  await call(listTasks, { assignee: 'me', limit: 5, cursor: undefined });
  const [read, write, listing] = api.seen;
  t.is(read?.url, `/api/sessions/${SESSION}/shards/findings`);
  t.is(read?.headers['idempotency-key'], undefined);
  t.is(write?.headers['if-match'], '"4"');
  t.deepEqual(JSON.parse(write?.body ?? ''), { content: 1 });
  t.is(listing?.url, '/api/tasks?assignee=me&limit=5');
});

test('COMPAT-2: bare lists and plain texts become the operation`s output again', async (t) => {
  const api = await startServer(t, (response, { url }) => {
    if (url.startsWith('/tasks')) return json(response, 200, [], { link: '</tasks?limit=1&cursor=abc>; rel="next"' });
    response.writeHead(200, { 'content-type': 'text/plain' }).end('Be brief.\n');
  });
  const call = client(api.url);
  t.deepEqual(await call(listTasks, {}), { tasks: [], next_cursor: 'abc' });
  t.true(Object.values(await call(getGooseHints, { role: 'finance' })).includes('Be brief.\n'));
});

test('X-3: the next cursor is found among links, and only there', (t) => {
  t.is(nextCursor('</a?cursor=1>; rel="prev", <http://h/a?x=1&cursor=2>; rel="next"'), '2');
  t.is(nextCursor('</a?cursor=1>; rel="prev"'), null);
  t.is(nextCursor(null), null);
});

test('X-1: an answer in an unknown form says that the deed was done', async (t) => {
  const api = await startServer(t, (response) => json(response, 200, { unexpected: true }));
  const problem = await t.throwsAsync(client(api.url)(heartbeat, {}), { instanceOf: ApiProblem });
  t.is(problem.code, 'internal');
  t.regex(problem.message, /Do not repeat/);
});
