import test from 'ava';

import { createApiClient } from '../../../mcp-extension/api-client.ts';
import { startHeartbeat } from '../../../mcp-extension/heartbeat.ts';
import { json, startServer, until } from './http-server.ts';

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
const log = { debug: () => undefined };
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const statuses = (seen: readonly { body: string }[]) =>
  seen.map(({ body }) => (JSON.parse(body) as { status: string }).status);

test('DIR-4: heartbeats go on until the end, and the last one says offline', async (t) => {
  const api = await startServer(t, (response) => json(response, 200, AGENT));
  const beats = startHeartbeat(createApiClient({ baseUrl: api.url, key: 'sbk_x' }), log, 30);
  await until(() => api.seen.length >= 3);
  await beats.stop();
  const sent = statuses(api.seen);
  t.is(sent.at(-1), 'offline');
  t.true(sent.slice(0, -1).every((status) => status === 'online'));
  await pause(80);
  t.is(api.seen.length, sent.length);
});

test('DIR-4: a key that is no agent`s sends no second heartbeat and no farewell', async (t) => {
  const api = await startServer(t, (response) => json(response, 403, { code: 'forbidden', detail: 'no agent' }));
  const beats = startHeartbeat(createApiClient({ baseUrl: api.url, key: 'sbk_x' }), log, 30);
  await until(() => api.seen.length === 1);
  await pause(150);
  await beats.stop();
  t.is(api.seen.length, 1);
});

test('DIR-4: an API that fails for a while is told again', async (t) => {
  const api = await startServer(t, (response, _, count) => json(response, count === 1 ? 500 : 200, AGENT));
  const beats = startHeartbeat(createApiClient({ baseUrl: api.url, key: 'sbk_x', retries: 0 }), log, 30);
  await until(() => api.seen.length >= 3);
  await beats.stop();
  t.deepEqual(statuses(api.seen).slice(0, 3), ['online', 'online', 'online']);
});
