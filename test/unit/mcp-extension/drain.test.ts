import test from 'ava';

import { startMcpHttp } from '../../../mcp-extension/http.ts';
import { json, startServer, until } from './http-server.ts';

const silent = { info: () => undefined, warn: () => undefined, error: () => undefined };
const HEADERS = {
  'content-type': 'application/json',
  accept: 'application/json, text/event-stream',
  authorization: 'Bearer sbk_x',
};
const INITIALIZE = {
  jsonrpc: '2.0',
  id: 1,
  method: 'initialize',
  params: { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'x', version: '1' } },
};
const CALL = {
  jsonrpc: '2.0',
  id: 2,
  method: 'tools/call',
  params: { name: 'notify', arguments: { target: 'manager', message: 'hello' } },
};

test('X-8: a call in flight is answered before the server stops', async (t) => {
  let finish = (): void => undefined;
  const receipt = {
    notification_id: 'note_01928f00-0000-7000-8000-000000000001',
    task_id: 'note_01928f00-0000-7000-8000-000000000001',
    status: 'sent',
    target: 'manager',
    masked: [],
    trace_id: 'x',
  };
  const api = await startServer(t, (response, { method }) => {
    // What the server wants to know of the caller and its profile, it does without where it is not told.
    if (method === 'GET') json(response, 404, {});
    else finish = () => json(response, 202, receipt);
  });
  const mcp = await startMcpHttp({ port: 0, host: '127.0.0.1', apiUrl: api.url, log: silent });
  const post = (body: unknown, more = {}) =>
    fetch(mcp.url, { method: 'POST', headers: { ...HEADERS, ...more }, body: JSON.stringify(body) });
  const opened = await post(INITIALIZE);
  await opened.text();
  const session = opened.headers.get('mcp-session-id') ?? '';
  const stream = await fetch(mcp.url, { headers: { ...HEADERS, 'mcp-session-id': session } });

  const answer = post(CALL, { 'mcp-session-id': session }).then((response) => response.text());
  await until(() => api.seen.some(({ url }) => url === '/notifications'));
  const closed = mcp.close();
  finish();
  t.regex(await answer, /Notification sent/);
  await closed;
  await t.throwsAsync(fetch(mcp.url));
  await stream.body?.cancel().catch(() => undefined);
});
