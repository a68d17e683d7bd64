import test from 'ava';
import type { ExecutionContext } from 'ava';

import { OPENING, rawServer, silentApi, until } from './clients.ts';
import type { RawServer } from './clients.ts';

const DOWN = { SWITCHBOARD_API_URL: 'http://127.0.0.1:1', SWITCHBOARD_API_KEY: 'sbk_test', MESH_RETRY_COUNT: '1' };
const call = (id: number, name: string, args: unknown = {}) => ({
  jsonrpc: '2.0',
  id,
  method: 'tools/call',
  params: { name, arguments: args },
});

function opened(t: ExecutionContext, env: Record<string, string>, args: readonly string[] = []): RawServer {
  const server = rawServer(t, env, args);
  for (const message of OPENING) server.send(message);
  return server;
}

test('MCP-2: the server starts while the API is down; tools say so', async (t) => {
  const server = opened(t, DOWN);
  server.send(call(2, 'send_task', { target: 'manager', type: 'x' }));
  const { result } = await server.answer(2);
  t.like(result, { isError: true });
  t.regex(JSON.stringify(result), /unavailable.*cannot be reached.*SWITCHBOARD_API_URL/s);
});

test('MCP-2: bad lines, calls before initialize and unknown methods do not end the server', async (t) => {
  const server = rawServer(t, DOWN);
  for (const line of ['', 'no json', '{', '[]', '7', 'null', '{"jsonrpc":"1.0"}', '{"jsonrpc":"2.0","id":{}}']) {
    server.send(line);
  }
  server.send(call(10, 'fetch_status'));
  await server.answer(10);
  for (const message of OPENING) server.send(message);
  await server.answer(1);
  server.send({ jsonrpc: '2.0', id: 2, method: 'no/such/method' });
  server.send(call(3, 'no_such_tool'));
  server.send({ jsonrpc: '2.0', id: 4, method: 'tools/call', params: { name: 'fetch_status', arguments: 'text' } });
  server.send({ jsonrpc: '2.0', id: 5, method: 'tools/call' });
  t.like(await server.answer(2), { error: { code: -32_601 } });
  t.like(await server.answer(3), { error: { code: -32_602 } });
  t.like((await server.answer(4))['error'], { code: -32_602 });
  t.truthy((await server.answer(5))['error']);
  server.send({ jsonrpc: '2.0', id: 6, method: 'ping' });
  t.deepEqual((await server.answer(6))['result'], {});
});

test('MCP-5: standard output carries the protocol alone, and secrets are in no log', async (t) => {
  const server = opened(t, { ...DOWN, SWITCHBOARD_LOG_LEVEL: 'trace' });
  server.send('no json');
  server.send(call(2, 'send_task', { target: 'manager', type: 'x' }));
  await server.answer(2);
  server.child.stdin.end();
  t.is(await server.exit(), 0);
  for (const line of server.lines) t.is((JSON.parse(line) as { jsonrpc: string }).jsonrpc, '2.0');
  t.regex(server.stderr(), /serving over stdio/);
  t.notRegex(server.stderr(), /sbk_test/);
});

test('MCP-2: a cancelled call ends the request to the API', async (t) => {
  const api = await silentApi(t);
  const server = opened(t, { ...DOWN, SWITCHBOARD_API_URL: api.url });
  server.send(call(2, 'send_task', { target: 'manager', type: 'x' }));
  await until(() => api.requests.find((request) => request.startsWith('POST /tasks/route')));
  const before = api.closed();
  server.send({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 2, reason: 'enough' } });
  await until(() => (api.closed() > before ? true : undefined));
  server.send({ jsonrpc: '2.0', id: 3, method: 'ping' });
  await server.answer(3);
  t.false(server.lines.some((line) => line.includes('"id":2')));
});

test('MCP-2: a client that vanishes in the middle of a call leaves no process behind', async (t) => {
  const api = await silentApi(t);
  const server = opened(t, { ...DOWN, SWITCHBOARD_API_URL: api.url });
  server.send(call(2, 'send_task', { target: 'manager', type: 'x' }));
  await until(() => api.requests.find((request) => request.startsWith('POST /tasks/route')));
  for (const stream of [server.child.stdin, server.child.stdout, server.child.stderr]) stream.destroy();
  t.is(await server.exit(), 0);
});

test('DIR-4: the agent is online from the start and offline at the end', async (t) => {
  const api = await silentApi(t);
  const server = opened(t, { ...DOWN, SWITCHBOARD_API_URL: api.url });
  const beat = (status: string) =>
    until(() => api.requests.find((text) => text.includes('/agents/me/heartbeat') && text.includes(`"${status}"`)));
  await beat('online');
  server.child.stdin.end();
  await beat('offline');
  t.is(await server.exit(), 0);
});

test('X-8: SIGTERM ends the server in order', async (t) => {
  const server = opened(t, DOWN);
  await server.answer(1);
  server.child.kill('SIGTERM');
  t.is(await server.exit(), 0);
});

test('COMPAT-1: the former variables are read, with a line that names the new ones', async (t) => {
  const api = await silentApi(t);
  const server = opened(t, {
    CONTROLLER_URL: api.url,
    MESH_JWT_TOKEN: 'sbk_old',
    MESH_TIMEOUT_SECS: '1',
    MESH_RETRY_COUNT: '1',
  });
  server.send(call(2, 'notify', { target: 'manager', message: 'hello' }));
  t.regex(JSON.stringify(await server.answer(2)), /no answer in 1000 ms/);
  t.true(api.requests.some((request) => /authorization: Bearer sbk_old/i.test(request)));
  for (const name of ['CONTROLLER_URL', 'SWITCHBOARD_API_URL', 'MESH_JWT_TOKEN', 'SWITCHBOARD_API_KEY']) {
    t.true(server.stderr().includes(name), name);
  }
});

test('MCP-1: tools can be limited by flag and by variable', async (t) => {
  const byFlag = opened(t, DOWN, ['--tools', 'send_task,fetch_status']);
  const bySet = opened(t, { ...DOWN, SWITCHBOARD_TOOLSETS: 'approve' });
  for (const [server, count] of [
    [byFlag, 2],
    [bySet, 6],
  ] as const) {
    server.send({ jsonrpc: '2.0', id: 2, method: 'tools/list' });
    const { result } = await server.answer(2);
    t.is((result as { tools: unknown[] }).tools.length, count);
  }
});

test('MCP-1: a wrong flag or setting ends the start with one readable line', async (t) => {
  for (const [env, args, says] of [
    [{}, ['--tools', 'nope'], /No such tool: nope/],
    [{}, ['--nope'], /--nope/],
    [{ SWITCHBOARD_API_URL: 'not a url' }, [], /SWITCHBOARD_API_URL must be/],
    [{ MESH_RETRY_COUNT: 'many' }, [], /MESH_RETRY_COUNT must be/],
  ] as const) {
    const server = rawServer(t, { ...DOWN, ...env }, args);
    t.is(await server.exit(), 2);
    t.regex(server.stderr(), says);
    t.notRegex(server.stderr(), /\n +at /);
  }
});
