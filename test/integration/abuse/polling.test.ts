import test from 'ava';

import { callerOf } from '../../support/caller.ts';
import type { Body, Caller } from '../../support/caller.ts';
import { eventually } from '../../support/rest.ts';
import { startStack } from '../../support/stack.ts';
import type { TestStack } from '../../support/stack.ts';
import { flood, median, tally, timed } from './flood.ts';

let stack: TestStack;
test.before(async (t) => {
  t.timeout(180_000);
  stack = await startStack({
    limits: { requestsPerSecond: 20, requestsBurst: 30, connections: 3, reportEveryMs: 1_000, organisationFactor: 20 },
  });
});
test.after.always(() => stack.close());

const by = (name: string): Caller => callerOf(stack, name);

test.serial(
  'X-3, OPS-2: one that polls without pause is told to wait, and the others are served as fast',
  async (t) => {
    t.timeout(60_000);
    const [poller, other, admin] = [by('hr-agent'), by('legal-agent'), by('Helena Voss')];
    const before = median(await timed(() => other.get('/tasks'), 9));
    const paths = ['/inbox', '/tasks', '/inbox?wait=0s'];
    const attack = flood(1_500, 8, (n) => poller.get(paths[n % 3] ?? ''));
    const during = await timed(() => other.get('/tasks'), 9);
    const answers = await attack;
    const counts = tally(answers.map(({ status }) => status));
    t.deepEqual(Object.keys(counts).sort(), ['200', '429']);
    t.true((counts['429'] ?? 0) > 1_000, JSON.stringify(counts));
    t.log(`median ${before.toFixed(1)} ms before, ${median(during).toFixed(1)} ms during; ${JSON.stringify(counts)}`);
    t.true(median(during) < before * 8 + 5);

    const refused = answers.find(({ status }) => status === 429);
    t.is(refused?.body.code, 'rate_limited');
    t.is(refused?.body['limit'], 'requests');
    t.regex(String(refused?.headers.get('retry-after')), /^[1-9]\d*$/);
    t.truthy(refused?.body.trace_id);
    await new Promise((resolve) => setTimeout(resolve, 1_100));
    t.is((await poller.get('/inbox')).status, 200, 'and is served again after the pause');

    // One line a period for thousands of refusals.
    const events = await eventually(
      async () => (await admin.get(`/audit?action=limits.refused&actor=${poller.id}`)).body.events,
      (found) => refusedIn(found) >= (counts['429'] ?? 0),
    );
    t.true(events.length <= 15, String(events.length));
    t.is(refusedIn(events), counts['429'] ?? 0);
  },
);

const refusedIn = (events: readonly Record<string, unknown>[]): number =>
  events.reduce(
    (sum, { details }) => sum + ((details as { refused: Record<string, number> }).refused['requests'] ?? 0),
    0,
  );

test.serial('TASK-3: a loop of claims on what is not its own is limited, and changes nothing', async (t) => {
  t.timeout(60_000);
  const [sender, owner, thief] = [by('finance-agent'), by('legal-agent'), by('support-agent')];
  const { task_id } = (await sender.post('/tasks/route', { target: owner.id, type: 'x' })).body;
  const answers = await flood(300, 8, () => thief.post(`/tasks/${task_id}/claim`));
  const counts = tally(answers.map(({ status }) => status));
  t.true((counts['429'] ?? 0) > 150, JSON.stringify(counts));
  t.is(counts['200'], undefined);
  t.is((await owner.post(`/tasks/${task_id}/claim`)).status, 200);
});

test.serial('OPS-2: health is answered however often it is asked, and tells what was refused', async (t) => {
  const { apiUrl } = stack;
  const answers = await flood(200, 8, () => fetch(`${apiUrl}/health/live`));
  t.deepEqual(tally(answers.map(({ status }) => status)), { 200: 200 });
  const health = (await (await fetch(`${apiUrl}/health`)).json()) as Body;
  t.true(Number(health['refused_last_minute']) > 100);
});

test.serial('X-7: streams and long polls of one principal are bounded; a closed one makes room', async (t) => {
  t.timeout(60_000);
  await new Promise((resolve) => setTimeout(resolve, 1_100));
  const [greedy, other] = [by('marketing-agent'), by('analyst-agent')];
  const open = async (who: Caller): Promise<{ status: number; close: () => void }> => {
    const end = new AbortController();
    const { status } = await fetch(`${stack.apiUrl}/stream`, {
      headers: { authorization: `Bearer ${who.key}` },
      signal: end.signal,
    });
    return { status, close: () => end.abort() };
  };
  const streams = [];
  for (let n = 0; n < 4; n += 1) streams.push(await open(greedy));
  t.deepEqual(
    streams.map(({ status }) => status),
    [200, 200, 200, 429],
  );
  const elsewhere = await open(other);
  t.is(elsewhere.status, 200);
  streams[0]?.close();
  const next = await eventually(
    () => open(greedy),
    ({ status }) => status === 200,
  );
  for (const stream of [...streams, elsewhere, next]) stream.close();

  const { cursor } = (await greedy.get('/inbox')).body;
  const polls = Array.from({ length: 5 }, () => greedy.get(`/inbox?wait=2s&after=${encodeURIComponent(cursor)}`));
  t.deepEqual(tally((await Promise.all(polls)).map(({ status }) => status)), { 200: 3, 429: 2 });
  t.is((await greedy.get(`/inbox?wait=1s&after=${encodeURIComponent(cursor)}`)).status, 200);
});
