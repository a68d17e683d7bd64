import net from 'node:net';
import type { Socket } from 'node:net';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import test from 'ava';

import { openIdentity } from '../../../api/authentication/identity.ts';
import { identitySettings } from '../../../api/authentication/settings.ts';
import { Limits } from '../../../api/limits/limits.ts';
import { limitSettings } from '../../../api/limits/settings.ts';
import { serveApi } from '../../../api/serve.ts';
import { openFeed } from '../../../api/stream/feed.ts';
import { createClaimStore } from '../../../db/payload-claims.ts';
import { openDatabase } from '../../../db/pool.ts';
import { releaseProfiles } from '../../../directory/organisation-profiles.ts';
import { loadProfiles } from '../../../directory/profiles.ts';
import { loadConfig } from '../../../platform/config.ts';
import { createLogger } from '../../../platform/log.ts';
import { SigningKeys, tokenKeysFile } from '../../../platform/tokens/signing-keys.ts';
import { openPrivacy } from '../../../privacy/open.ts';
import { callerOf, callerWith } from '../../support/caller.ts';
import type { Caller } from '../../support/caller.ts';
import { eventually } from '../../support/rest.ts';
import { asOwner } from '../../support/scene.ts';
import { startStack } from '../../support/stack.ts';
import type { TestStack } from '../../support/stack.ts';

let stack: TestStack;
test.before(async (t) => {
  t.timeout(180_000);
  stack = await startStack();
});
test.after.always(() => stack.close());

const by = (name: string): Caller => callerOf(stack, name);
const sleep = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** A way to a server that can be cut: connections break, new ones are refused, until it is mended. */
async function cuttable(
  host: string,
  port: number,
): Promise<{ port: number; cut(): void; mend(): Promise<void>; close(): void }> {
  const sockets = new Set<Socket>();
  const server = net.createServer((near) => {
    const far = net.connect(port, host);
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on('error', () => undefined).on('close', () => sockets.delete(socket));
    }
    near.pipe(far).pipe(near);
  });
  const listen = (at: number): Promise<void> => new Promise((resolve) => server.listen(at, '127.0.0.1', resolve));
  await listen(0);
  const own = (server.address() as net.AddressInfo).port;
  const cut = (): void => {
    server.close();
    for (const socket of sockets) socket.destroy();
  };
  return { port: own, cut, mend: () => listen(own), close: cut };
}

test.serial(
  'X-8: without a worker a task is answered 503; with its key it is created once when the worker is back',
  async (t) => {
    t.timeout(120_000);
    const from = by('finance-agent');
    await stack.stopWorker();
    const headers = { 'idempotency-key': 'while-away' };
    const body = { target: 'hr', type: 'x' };
    const started = Date.now();
    const [away, pause] = await Promise.all([
      from.post('/tasks/route', body, headers),
      Promise.race([by('Helena Voss').put('/pauses/role/analyst', { paused: true }), sleep(20_000)]),
    ]);
    t.true(Date.now() - started < 21_000);
    t.is(away.status, 503, JSON.stringify(away.body));
    t.is(away.body.code, 'unavailable');
    t.truthy(away.headers.get('retry-after'));
    await stack.startWorker();
    const back = await eventually(
      () => from.post('/tasks/route', body, headers),
      ({ status }) => status === 202,
      40_000,
    );
    const again = await from.post('/tasks/route', body, headers);
    t.is(again.body.task_id, back.body.task_id);
    const [row] = await asOwner<{ count: number }>(stack, 'SELECT count(*)::int AS count FROM tasks');
    t.is(row?.count, 1);
    t.truthy(pause, 'a pause is answered within 20 s too');
    t.is(pause?.status, 503);
  },
);

test.serial('X-8: changes that were asked for while the worker was away happen once', async (t) => {
  t.timeout(120_000);
  const [from, to] = [by('finance-agent'), by('hr-agent')];
  const { task_id } = (await from.post('/tasks/route', { target: to.id, type: 'x' })).body;
  await stack.stopWorker();
  const headers = { 'idempotency-key': 'claim-while-away' };
  const claim = to.post(`/tasks/${task_id}/claim`, {}, headers);
  const readable = await from.get(`/tasks/${task_id}`);
  t.is(readable.status, 200, 'reading needs no worker');
  const ready = await from.get<{ status: string }>('/health/ready');
  t.true([200, 503].includes(ready.status));
  await sleep(2_000);
  await stack.startWorker();
  t.is((await claim).status, 200, 'it waits for a worker that comes back soon');
  t.is((await to.post(`/tasks/${task_id}/claim`, {}, headers)).status, 200);
  const { timeline } = (await from.get(`/status/${task_id}`)).body;
  t.is(timeline.filter((entry) => entry['action'] === 'task.claimed').length, 1);
});

test.serial(
  'X-1, X-8: without the database every request is answered 503, and served again when it is back',
  async (t) => {
    t.timeout(120_000);
    const url = new URL(stack.databaseUrl);
    const way = await cuttable(url.hostname, Number(url.port));
    url.hostname = '127.0.0.1';
    url.port = String(way.port);
    const database = openDatabase({ url: url.href, max: 5 });
    const log = createLogger({ name: 'test', level: 'silent' });
    const folder = mkdtempSync(path.join(tmpdir(), 'switchboard-test-'));
    const feed = await openFeed({ database, url: url.href, log });
    const profiles = loadProfiles(path.resolve(import.meta.dirname, '../../../profiles'));
    const identity = await openIdentity({
      settings: { ...identitySettings(loadConfig({})), staticKeys: true },
      keys: await SigningKeys.open(tokenKeysFile(folder)),
      url: url.href,
      log,
    });
    const deps = {
      ...openPrivacy(path.join(folder, 'master.key'), database),
      database,
      profiles,
      profilesOf: () => Promise.resolve(releaseProfiles(profiles)),
      client: stack.client,
      taskQueue: stack.taskQueue,
      recipes: new Map(),
      historyKeys: stack.historyKeys,
      claims: createClaimStore(database),
      codecOrigins: [],
      feed,
      limits: new Limits(limitSettings(loadConfig({})), { database, log }),
      publishing: { keysFile: path.join(folder, 'profile-keys.json'), mcpUrl: 'http://mcp', proxyUrl: 'http://proxy' },
      auditKeys: () => ({ keys: [] }),
      identity,
      log,
    };
    const served = await serveApi(deps, { host: '127.0.0.1', port: 0 });
    t.teardown(async () => {
      await served.close();
      await identity.close();
      await feed.close();
      await database.close().catch(() => undefined);
      way.close();
      rmSync(folder, { recursive: true, force: true });
    });
    const from = callerWith(served.url, by('finance-agent'));
    t.is((await from.get('/tasks')).status, 200);
    t.is((await from.get('/health/ready')).status, 200);

    // Cut while transactions are under way, so that some are torn in the middle.
    const under = Array.from({ length: 40 }, (_, at) =>
      from.post('/notifications', { target: 'hr', message: String(at) }),
    );
    await sleep(20);
    way.cut();
    const torn = (await Promise.all(under)).map(
      ({ status, body }) => `${String(status)} ${status === 202 ? '' : body.code}`,
    );
    t.deepEqual(
      [...new Set(torn)].filter((one) => !['202 ', '503 unavailable'].includes(one)),
      [],
    );
    for (const attempt of [
      () => from.get('/tasks'),
      () => from.post('/tasks/route', { target: 'hr', type: 'x' }),
      () => from.post('/notifications', { target: 'hr', message: 'm' }, { 'idempotency-key': 'k' }),
      () => from.get('/inbox'),
      () => from.get('/stream'),
    ]) {
      const answer = await attempt();
      t.is(answer.status, 503, JSON.stringify(answer.body));
      t.truthy(answer.headers.get('retry-after'));
      t.regex(answer.headers.get('content-type') ?? '', /problem\+json/);
    }
    t.is((await from.get('/health/live')).status, 200);
    const unready = await from.get('/health/ready');
    t.is(unready.status, 503);
    t.is(unready.body['database'], 'unreachable');
    t.is((await from.get('/health')).status, 200, 'older clients read the state in the body');
    await way.mend();
    await eventually(
      () => from.get('/tasks'),
      ({ status }) => status === 200,
    );
    await eventually(
      () => from.get<{ stream: string }>('/health/ready'),
      ({ status, body }) => status === 200 && body.stream === 'ok',
    );
    const poll = from.get(`/inbox?wait=10s&after=${(await from.get('/inbox')).body.cursor}`);
    await sleep(200);
    await from.post('/notifications', { target: from.id, message: 'back' });
    const started = Date.now();
    await poll;
    t.true(Date.now() - started < 3_000, 'news are told again');
  },
);

test.serial('OPS-1: /health/live and /health/ready tell processes and parts', async (t) => {
  const ready = await by('finance-agent').get('/health/ready');
  t.like(ready.body, { status: 'healthy', database: 'connected', temporal: 'ok', worker: 'ok', stream: 'ok' });
  t.like(await fetch(`${stack.apiUrl}/api/health`).then((answer) => answer.json()), { status: 'healthy' });
});
