import test from 'ava';

import { createEventStore } from '../../../mcp-extension/event-store.ts';
import { keyOf } from '../../../mcp-extension/http-guard.ts';
import { readSettings } from '../../../mcp-extension/settings.ts';

test('COMPAT-1: former variables stand in for new ones, which win', (t) => {
  const former = { CONTROLLER_URL: 'http://old:1', MESH_JWT_TOKEN: 'old' };
  const read = readSettings(former, []);
  t.is(read.config.apiUrl, 'http://old:1');
  t.is(read.config.apiKey, 'old');
  t.is(read.deprecations.length, 2);
  const both = readSettings({ ...former, SWITCHBOARD_API_URL: 'http://new:1', SWITCHBOARD_API_KEY: 'new' }, []);
  t.is(both.config.apiUrl, 'http://new:1');
  t.is(both.config.apiKey, 'new');
  t.deepEqual(both.deprecations, []);
});

test('COMPAT-1: attempts and time-out are read as before', (t) => {
  t.like(readSettings({}, []), { retries: 2, timeoutMs: 30_000 });
  t.like(readSettings({ MESH_RETRY_COUNT: '1', MESH_TIMEOUT_SECS: '5' }, []), { retries: 0, timeoutMs: 5000 });
  for (const wrong of ['0', '-1', '1.5', 'x', '1e9']) {
    t.throws(() => readSettings({ MESH_RETRY_COUNT: wrong }, []), { message: /MESH_RETRY_COUNT must be/ });
  }
});

test('MCP-1: a flag wins over the variable', (t) => {
  const { tools } = readSettings({ SWITCHBOARD_TOOLS: 'notify' }, ['--tools', 'fetch_status']);
  t.deepEqual(
    tools.map(({ name }) => name),
    ['fetch_status'],
  );
});

test('MCP-5: host names are a list, and anything else is refused by name', (t) => {
  t.deepEqual(readSettings({}, []).allowedHosts, []);
  const given = { SWITCHBOARD_MCP_ALLOWED_HOSTS: 'mcp.example.com, mcp' };
  t.deepEqual(readSettings(given, []).allowedHosts, ['mcp.example.com', 'mcp']);
  for (const wrong of ['https://mcp.example.com', 'mcp:8091', 'a,,b', ',', 'a b']) {
    t.throws(() => readSettings({ SWITCHBOARD_MCP_ALLOWED_HOSTS: wrong }, []), {
      message: /MCP_ALLOWED_HOSTS must be/,
    });
  }
});

test('MCP-3: nobody is asked at a client unless a setting says so', (t) => {
  t.false(readSettings({}, []).config.mcpElicitation);
  t.true(readSettings({ SWITCHBOARD_MCP_ELICITATION: 'true' }, []).config.mcpElicitation);
  t.throws(() => readSettings({ SWITCHBOARD_MCP_ELICITATION: 'yes' }, []), { message: /MCP_ELICITATION must be/ });
});

test('MCP-5: only a bearer key is a key', (t) => {
  t.is(keyOf('Bearer sbk_x'), 'sbk_x');
  t.is(keyOf('bearer  sbk_x '), 'sbk_x');
  for (const header of [undefined, '', 'Bearer', 'Bearer a b', 'Basic x', `Bearer ${'x'.repeat(5000)}`]) {
    t.is(keyOf(header), undefined);
  }
});

test('MCP-2: the event store replays what a stream missed, and keeps a bounded number', async (t) => {
  const store = createEventStore(3);
  const message = (id: number) => ({ jsonrpc: '2.0' as const, id, result: {} });
  const first = await store.storeEvent('a', message(1));
  await store.storeEvent('b', message(2));
  await store.storeEvent('a', message(3));
  const replayed: unknown[] = [];
  const send = (_: string, sent: unknown) => Promise.resolve(void replayed.push(sent));
  t.is(await store.replayEventsAfter(first, { send }), 'a');
  t.deepEqual(replayed, [message(3)]);
  await store.storeEvent('a', message(4));
  await t.throwsAsync(store.replayEventsAfter(first, { send }), { message: /no longer kept/ });
});

test('MCP-2: the event store is bounded in bytes too, and keeps the newest however large', async (t) => {
  const store = createEventStore(100, 1_000);
  const large = { jsonrpc: '2.0' as const, id: 1, result: { text: 'x'.repeat(2_000) } };
  const first = await store.storeEvent('a', { jsonrpc: '2.0', id: 0, result: {} });
  const second = await store.storeEvent('a', large);
  t.is(await store.getStreamIdForEventId?.(first), undefined);
  t.is(await store.getStreamIdForEventId?.(second), 'a');
});
