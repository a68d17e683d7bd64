import { spawn } from 'node:child_process';
import { once } from 'node:events';
import http from 'node:http';
import path from 'node:path';
import { createInterface } from 'node:readline';

import test from 'ava';
import type { ExecutionContext } from 'ava';

import { toolOperations } from '../../../contracts/index.ts';
import { startMcpHttp } from '../../../mcp-extension/http.ts';
import { httpClient, OPENING, silentApi, until } from './clients.ts';

const silent = { info: () => undefined, warn: () => undefined, error: () => undefined };
const API = 'http://127.0.0.1:1';
const JSON_BOTH = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' };
const AUTH = { ...JSON_BOTH, authorization: 'Bearer sbk_test' };
const [INITIALIZE] = OPENING;
const LIST = { jsonrpc: '2.0', id: 2, method: 'tools/list' };

async function serve(t: ExecutionContext): Promise<string> {
  const mcp = await startMcpHttp({ port: 0, host: '127.0.0.1', apiUrl: API, log: silent, retries: 0 });
  t.teardown(() => mcp.close());
  return mcp.url;
}

const post = (url: string, body: unknown, headers: Record<string, string> = AUTH): Promise<Response> =>
  fetch(url, { method: 'POST', headers, body: typeof body === 'string' ? body : JSON.stringify(body) });

async function openSession(url: string): Promise<string> {
  const response = await post(url, INITIALIZE);
  await response.text();
  return response.headers.get('mcp-session-id') ?? '';
}

test('MCP-5: without a bearer key nothing is parsed and the answer says what is missing', async (t) => {
  const url = await serve(t);
  for (const authorization of ['', 'Basic abc', 'Bearer', 'Bearer a b']) {
    const response = await post(url, '{ broken', { ...JSON_BOTH, ...(authorization ? { authorization } : {}) });
    t.is(response.status, 401);
    t.is(response.headers.get('www-authenticate'), 'Bearer realm="switchboard"');
    t.regex(await response.text(), /Authorization: Bearer/);
  }
});

test('X-1: bodies that cannot be read are answered in JSON and change nothing', async (t) => {
  const url = await serve(t);
  const cases: [string, number][] = [
    ['{ broken', 400],
    ['"text"', 400],
    [JSON.stringify({ ...LIST, params: { x: 'x'.repeat(1_100_000) } }), 413],
    ['{"jsonrpc":"2.0"}', 400],
    ['[]', 400],
  ];
  for (const [body, status] of cases) {
    const response = await post(url, body);
    const text = await response.text();
    t.is(response.status, status, body.slice(0, 40));
    t.notRegex(text, /<html|node_modules/);
    t.truthy((JSON.parse(text) as { error?: unknown }).error);
  }
  t.is((await post(url, 'x=1', { ...AUTH, 'content-type': 'text/plain' })).status, 415);
});

test('MCP-5: foreign Host and Origin headers are refused', async (t) => {
  const url = new URL(await serve(t));
  const status = (headers: Record<string, string>) =>
    new Promise((resolve, reject) => {
      const { hostname, port, pathname } = url;
      const request = http.request({
        agent: false,
        hostname,
        port,
        path: pathname,
        method: 'POST',
        headers: { ...AUTH, ...headers },
      });
      request.once('response', (response) => {
        response.resume();
        resolve(response.statusCode);
      });
      request.once('error', reject).end(JSON.stringify(INITIALIZE));
    });
  t.is(await status({ host: 'evil.example' }), 403);
  t.is(await status({ origin: 'https://evil.example' }), 403);
  t.is(await status({ origin: 'http://localhost:3000' }), 200);
});

test('MCP-5: host names of a setting are let in besides loopback ones, and no others', async (t) => {
  const allowedHosts = ['mcp.example.com'];
  const mcp = await startMcpHttp({ port: 0, host: '127.0.0.1', apiUrl: API, log: silent, retries: 0, allowedHosts });
  t.teardown(() => mcp.close());
  const { port } = new URL(mcp.url);
  const names = {
    'mcp.example.com': 200,
    'localhost:1': 200,
    'evil.mcp.example.com': 403,
    'example.com': 403,
  };
  for (const [host, status] of Object.entries(names)) {
    const answered = await new Promise((resolve, reject) => {
      const headers = { ...AUTH, host };
      const request = http.request({
        agent: false,
        hostname: '127.0.0.1',
        port,
        path: '/mcp',
        method: 'POST',
        headers,
      });
      request.once('response', (response) => resolve(response.resume().statusCode));
      request.once('error', reject).end(JSON.stringify(INITIALIZE));
    });
    t.is(answered, status, host);
  }
});

test('MCP-2: a session is opened, used, and ended by its client', async (t) => {
  const url = await serve(t);
  const session = await openSession(url);
  const headers = { ...AUTH, 'mcp-session-id': session, 'mcp-protocol-version': '2025-06-18' };
  t.regex(await (await post(url, LIST, headers)).text(), /"send_task"/);
  t.is((await fetch(url, { method: 'DELETE', headers })).status, 200);
  t.is((await post(url, LIST, headers)).status, 404);
});

test('MCP-5: the session of another key is not found', async (t) => {
  const url = await serve(t);
  const headers = { ...AUTH, 'mcp-session-id': await openSession(url), 'mcp-protocol-version': '2025-06-18' };
  t.is((await post(url, LIST, { ...headers, authorization: 'Bearer sbk_other' })).status, 404);
  t.is(
    (await fetch(url, { method: 'DELETE', headers: { ...headers, authorization: 'Bearer sbk_other' } })).status,
    404,
  );
  t.is((await post(url, LIST, headers)).status, 200);
});

test('MCP-2: a call before initialize is refused in words', async (t) => {
  const url = await serve(t);
  const response = await post(url, LIST);
  t.is(response.status, 400);
  t.regex(await response.text(), /initialize first/);
  t.is((await fetch(url, { headers: AUTH })).status, 400);
});

test('MCP-2: a stream that broke is resumed from its last event', async (t) => {
  const url = await serve(t);
  const newest = { ...INITIALIZE, params: { ...INITIALIZE.params, protocolVersion: '2025-11-25' } };
  const opening = await post(url, newest);
  await opening.text();
  const session = opening.headers.get('mcp-session-id') ?? '';
  const headers = { ...AUTH, 'mcp-session-id': session, 'mcp-protocol-version': '2025-11-25' };
  const events = await (await post(url, LIST, headers)).text();
  const [first = '', second] = [...events.matchAll(/^id: (.+)$/gm)].map(([, id]) => id);
  t.truthy(second, 'an event opens the stream before the answer');

  const resumed = await fetch(url, { headers: { ...headers, 'last-event-id': first } });
  t.is(resumed.status, 200);
  const reader = resumed.body?.getReader();
  const event = await reader?.read();
  await reader?.cancel();
  t.regex(new TextDecoder().decode(event?.value as Uint8Array | undefined), /"send_task"/);
});

for (const mode of ['legacy', 'auto'] as const) {
  test(`MCP-2: a call that its client cancels ends the request to the API (${mode})`, async (t) => {
    const api = await silentApi(t);
    const mcp = await startMcpHttp({ port: 0, host: '127.0.0.1', apiUrl: api.url, log: silent, timeoutMs: 5_000 });
    t.teardown(() => mcp.close());
    const client = await httpClient(t, mcp.url, 'sbk_test', mode);
    const cancel = new AbortController();
    const params = { name: 'notify', arguments: { target: 'manager', message: 'hello' } };
    const calling = client.callTool(params, { signal: cancel.signal });
    await until(() => api.requests.find((request) => request.startsWith('POST /notifications')));
    cancel.abort();
    await t.throwsAsync(calling);
    await until(() => (api.closed() > 0 ? true : undefined));
    t.is((await client.listTools()).tools.length, toolOperations.length);
  });
}

test('MCP-2: liveness needs no key and other paths do not exist', async (t) => {
  const url = await serve(t);
  const live = await fetch(new URL('/health/live', url));
  t.deepEqual([live.status, await live.json()], [200, { status: 'ok' }]);
  t.is((await fetch(new URL('/other', url), { headers: AUTH })).status, 404);
});

test('X-8: on SIGTERM the process closes its sessions and ends', async (t) => {
  const main = path.resolve(import.meta.dirname, '../../../mcp-extension/http-main.ts');
  const env = {
    PATH: process.env['PATH'] ?? '',
    SWITCHBOARD_MCP_PORT: '0',
    SWITCHBOARD_STATIC_KEYS: 'true',
    SWITCHBOARD_API_URL: API,
  };
  const child = spawn(process.execPath, [main], { env, stdio: ['ignore', 'ignore', 'pipe'] });
  t.teardown(() => child.kill('SIGKILL'));
  const exited = once(child, 'exit');
  const url = await new Promise<string>((resolve) => {
    createInterface({ input: child.stderr }).on('line', (line) => {
      const { url } = JSON.parse(line) as { url?: string };
      if (url !== undefined) resolve(url);
    });
  });
  const headers = { ...AUTH, 'mcp-session-id': await openSession(url), 'mcp-protocol-version': '2025-06-18' };
  const stream = await fetch(url, { headers });
  t.is(stream.status, 200);
  child.kill('SIGTERM');
  t.deepEqual(await exited, [0, null]);
  await stream.body?.cancel().catch(() => undefined);
});
