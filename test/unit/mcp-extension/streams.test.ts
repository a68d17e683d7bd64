import type { ServerResponse } from 'node:http';

import test from 'ava';

import { listenedUris } from '../../../mcp-extension/events/listen-bus.ts';
import { urisOf } from '../../../mcp-extension/events/resource-uris.ts';
import { createEventStreams } from '../../../mcp-extension/events/streams.ts';
import { startServer, until } from './http-server.ts';

const log = { warn: () => undefined };
const TASK = 'task_01928f00-0000-7000-8000-000000000001';
const SESSION = 'sess_01928f00-0000-7000-8000-000000000002';

function begin(response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  response.write('retry: 1000\n\n');
}
const event = (id: string, subject: string): string => `id: ${id}\nevent: tasks\ndata: {"id":"${subject}"}\n\n`;

test('MCP-3: an event changes its subject, what that belongs to, and the inbox', (t) => {
  t.deepEqual(urisOf(JSON.stringify({ id: TASK, task_id: TASK, session_id: SESSION })), [
    `switchboard://tasks/${TASK}`,
    `switchboard://sessions/${SESSION}`,
    'switchboard://inbox',
  ]);
  t.deepEqual(urisOf('{"id":"note_1","task_id":null}'), ['switchboard://inbox']);
  for (const odd of ['', 'null', '[]', '{', '{"id":1}', '"x"']) t.deepEqual(urisOf(odd), [], odd);
});

test('MCP-3: the resources of a listen message are found, and nothing else is', (t) => {
  const message = (notifications: unknown) => ({ method: 'subscriptions/listen', params: { notifications } });
  t.deepEqual(listenedUris(message({ resourceSubscriptions: ['a', 1, 'b'] })), ['a', 'b']);
  for (const odd of [null, 1, [], {}, { method: 'x' }, message(null), message({ resourceSubscriptions: 'a' })]) {
    t.deepEqual(listenedUris(odd), []);
  }
});

test('MCP-3: listeners of one key share a connection, which ends with the last of them', async (t) => {
  const api = await startServer(t, (response) => begin(response));
  const streams = createEventStreams({ apiUrl: `${api.url}/`, log });
  t.teardown(() => streams.close());
  const stops = [1, 2].map(() => streams.of('sbk_a')(() => undefined));
  stops.push(streams.of('sbk_b')(() => undefined));
  t.is(streams.size, 2);
  await until(() => api.seen.length === 2);
  t.deepEqual(
    api.seen.map(({ url }) => url),
    ['/stream', '/stream'],
  );
  t.deepEqual(api.seen.map(({ headers }) => headers.authorization).toSorted(), ['Bearer sbk_a', 'Bearer sbk_b']);
  stops[0]?.();
  stops[0]?.();
  t.is(streams.size, 2);
  stops[1]?.();
  t.is(streams.size, 1);
  await until(() => api.aborted() === 1);
  stops[2]?.();
  await until(() => api.aborted() === 2);
  t.is(api.seen.length, 2);
  t.notThrows(() => streams.of(undefined)(() => undefined)());
});

test('MCP-3: a broken connection comes back from the last event', async (t) => {
  const api = await startServer(t, (response, _seen, count) => {
    begin(response);
    if (count > 2) return;
    response.write(event(`id-${String(count)}`, TASK));
    setTimeout(() => response.destroy(), 20);
  });
  const heard: unknown[] = [];
  const streams = createEventStreams({ apiUrl: api.url, log, firstWaitMs: 10 });
  t.teardown(() => streams.close());
  streams.of('sbk_a')((changed) => heard.push(changed));
  await until(() => api.seen.length === 3);
  t.deepEqual(
    api.seen.map(({ headers }) => headers['last-event-id']),
    [undefined, 'id-1', 'id-2'],
  );
  const one = [`switchboard://tasks/${TASK}`, 'switchboard://inbox'];
  t.deepEqual(heard, [one, one]);
});

test('MCP-3: where events may have been missed, everything may have changed', async (t) => {
  const api = await startServer(t, (response, _seen, count) => {
    if (count === 2) {
      response.writeHead(503).end();
      return;
    }
    begin(response);
    if (count === 1) setTimeout(() => response.destroy(), 20);
  });
  const heard: unknown[] = [];
  const streams = createEventStreams({ apiUrl: api.url, log, firstWaitMs: 10 });
  t.teardown(() => streams.close());
  streams.of('sbk_a')((changed) => heard.push(changed));
  await until(() => heard.length > 0);
  t.deepEqual(heard, ['all']);
});

test('MCP-3: a last event that the API does not know is forgotten, and a silent connection is replaced', async (t) => {
  const api = await startServer(t, (response, { headers }, count) => {
    if (headers['last-event-id'] !== undefined) {
      response.writeHead(400).end();
      return;
    }
    begin(response);
    if (count === 1) response.write(event('old', TASK));
  });
  const heard: unknown[] = [];
  const streams = createEventStreams({ apiUrl: api.url, log, firstWaitMs: 10, silenceMs: 200 });
  t.teardown(() => streams.close());
  streams.of('sbk_a')((changed) => heard.push(changed));
  await until(() => heard.includes('all'));
  t.is(api.seen[1]?.headers['last-event-id'], 'old');
  t.is(api.seen[2]?.headers['last-event-id'], undefined);
});

test('MCP-5: a key that the API does not know is not tried again and again', async (t) => {
  const api = await startServer(t, (response) => void response.writeHead(401).end());
  const streams = createEventStreams({ apiUrl: api.url, log, firstWaitMs: 5 });
  t.teardown(() => streams.close());
  streams.of('sbk_unknown')(() => t.fail());
  await until(() => api.seen.length === 1);
  await new Promise((resolve) => setTimeout(resolve, 200));
  t.is(api.seen.length, 1);
});
