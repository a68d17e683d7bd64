import http from 'node:http';

import type { Client, Progress } from '@modelcontextprotocol/client';

import { startMcpHttp } from '../../../mcp-extension/http.ts';
import { callerOf } from '../../support/caller.ts';
import { OPENING, silentApi, until } from './clients.ts';
import { testWithStack } from './shared-stack.ts';
import { silent, WAYS } from './ways.ts';

const test = testWithStack();

const statusOf = async (client: Client, args: Record<string, string>, onprogress?: (progress: Progress) => void) =>
  (
    await client.callTool(
      { name: 'fetch_status', arguments: args },
      { timeout: 30_000, ...(onprogress ? { onprogress } : {}) },
    )
  ).structuredContent as Record<string, unknown>;

for (const [way, connect] of Object.entries(WAYS)) {
  test(`MCP-2: fetch_status waits for a change, reports progress, and ends with it (${way})`, async (t) => {
    t.timeout(60_000);
    const { stack } = t.context;
    const finance = callerOf(stack, 'finance-agent');
    const manager = callerOf(stack, 'manager-agent');
    const client = await connect(t, { apiUrl: stack.apiUrl, key: finance.key });
    const { body } = await finance.post('/tasks/route', { target: 'manager', type: 'x' });
    const task_id = body.task_id;
    t.is((await statusOf(client, { task_id, wait: '20s', known_status: 'active' }))['status'], 'pending');

    const seen: Progress[] = [];
    const waiting = statusOf(client, { task_id, wait: '20s', known_status: 'pending' }, (one) => void seen.push(one));
    await until(() => (seen.length > 0 ? true : undefined));
    t.like(seen[0], { total: 20 });
    await manager.post(`/tasks/${task_id}/claim`);
    t.is((await waiting)['status'], 'active');

    await finance.post(`/tasks/${task_id}/cancel`);
    t.is((await statusOf(client, { task_id, wait: '20s', known_status: 'cancelled' }))['status'], 'cancelled');
  });

  test(`MCP-2: a wait that its client cancels ends the request to the API (${way})`, async (t) => {
    const api = await silentApi(t);
    const client = await connect(t, { apiUrl: api.url, key: 'sbk_test' });
    const cancel = new AbortController();
    const args = { task_id: 'task_01928f00-0000-7000-8000-00000000dead', wait: '60s' };
    const calling = client.callTool({ name: 'fetch_status', arguments: args }, { signal: cancel.signal });
    await until(() => api.requests.find((request) => request.startsWith('GET /status/')));
    const before = api.closed();
    cancel.abort();
    await t.throwsAsync(calling);
    await until(() => (api.closed() > before ? true : undefined));
  });
}

test('TASK-6: a wait answers after its time, and at once where there is nothing to wait for', async (t) => {
  const finance = callerOf(t.context.stack, 'finance-agent');
  const { body } = await finance.post('/tasks/route', { target: 'manager', type: 'x' });
  const began = Date.now();
  const { status, body: after } = await finance.get(`/status/${body.task_id}?wait=1s&known_status=pending`);
  t.deepEqual([status, after.status], [200, 'pending']);
  t.true(Date.now() - began >= 950);
  const missing = await finance.get('/status/task_01928f00-0000-7000-8000-00000000dead?wait=30s');
  t.is(missing.status, 404);
  for (const wrong of ['61s', '-1s', '1', 'x', '1e1s', '🦉']) {
    t.is((await finance.get(`/status/${body.task_id}?wait=${encodeURIComponent(wrong)}`)).status, 400, wrong);
  }
});

for (const [era, first] of [
  ['2025', 'initialize'],
  ['2026', 'tools/call'],
] as const) {
  test(`MCP-2: a call that takes long says that it is alive, before and without any progress (${era})`, async (t) => {
    t.timeout(30_000);
    const api = await silentApi(t);
    const mcp = await startMcpHttp({ port: 0, host: '127.0.0.1', apiUrl: api.url, log: silent, keepAliveMs: 100 });
    t.teardown(() => mcp.close());
    const headers: Record<string, string> = {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      authorization: 'Bearer sbk_test',
    };
    const params: Record<string, unknown> = { name: 'notify', arguments: { target: 'manager', message: 'x' } };
    if (first === 'initialize') {
      const opened = await fetch(mcp.url, { method: 'POST', headers, body: JSON.stringify(OPENING[0]) });
      await opened.text();
      headers['mcp-session-id'] = opened.headers.get('mcp-session-id') ?? '';
    } else {
      Object.assign(headers, {
        'mcp-protocol-version': '2026-07-28',
        'mcp-method': 'tools/call',
        'mcp-name': 'notify',
      });
      params['_meta'] = {
        'io.modelcontextprotocol/protocolVersion': '2026-07-28',
        'io.modelcontextprotocol/clientCapabilities': {},
      };
    }
    const request = http.request(mcp.url, { method: 'POST', headers });
    t.teardown(() => request.destroy());
    request.on('error', () => undefined);
    let heard = '';
    request.on('response', (response) => response.setEncoding('utf8').on('data', (text: string) => (heard += text)));
    request.end(JSON.stringify({ jsonrpc: '2.0', id: 2, method: 'tools/call', params }));
    await until(() => (heard.match(/^:/gm)?.length ?? 0) >= 3 || undefined);
    t.notRegex(heard, /"result"/);
  });
}
