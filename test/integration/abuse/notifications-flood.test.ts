import test from 'ava';

import { callerOf } from '../../support/caller.ts';
import type { Caller } from '../../support/caller.ts';
import { eventually } from '../../support/rest.ts';
import { asOwner } from '../../support/scene.ts';
import { startStack } from '../../support/stack.ts';
import type { TestStack } from '../../support/stack.ts';
import { flood, median, tally, timed } from './flood.ts';

const FLOOD = 10_000;
const [PER_SENDER, TO_ONE] = [300, 500];
const REPORT_MS = 10_000;

let stack: TestStack;
test.before(async (t) => {
  t.timeout(180_000);
  stack = await startStack({
    limits: {
      notificationsPerMinute: PER_SENDER,
      notificationsToOnePerMinute: TO_ONE,
      requestsPerSecond: 5_000,
      reportEveryMs: REPORT_MS,
    },
  });
});
test.after.always(() => stack.close());

const by = (name: string): Caller => callerOf(stack, name);

/** Reads the stream in the background; answers how many notifications came until it is stopped. */
function follow(who: Caller): { readonly heard: () => number; readonly stop: () => void } {
  const end = new AbortController();
  let heard = 0;
  const read = async (): Promise<void> => {
    const response = await fetch(`${stack.apiUrl}/stream?topics=notifications`, {
      headers: { authorization: `Bearer ${who.key}` },
      signal: end.signal,
    });
    const text = new TextDecoder();
    for await (const chunk of response.body ?? [])
      heard += text.decode(chunk as Uint8Array, { stream: true }).split('event: notifications').length - 1;
  };
  read().catch(() => undefined);
  return { heard: () => heard, stop: () => end.abort() };
}

test.serial(
  'NOTE-1, X-3, X-7: ten thousand notifications to one agent are bounded by sender and receiver, fair to others, and on record',
  async (t) => {
    t.timeout(300_000);
    const [victim, bystander, admin] = [by('hr-agent'), by('legal-agent'), by('Helena Voss')];
    const senders = ['finance-agent', 'support-agent', 'marketing-agent', 'developer-agent'].map(by);
    const work = (): Promise<unknown> => bystander.post('/tasks/route', { target: 'analyst', type: 'x' });
    const look = (): Promise<unknown> => victim.get('/inbox');
    await timed(work, 3);
    const before = { work: median(await timed(work, 9)), look: median(await timed(look, 9)) };
    const stream = follow(victim);

    const started = Date.now();
    const attack = flood(FLOOD, 16, async (n) => {
      const { status, body, headers } = await (senders[n % senders.length] ?? victim).post('/notifications', {
        target: victim.id,
        message: `notice ${String(n)}`,
      });
      return { status, limit: body['limit'], wait: headers.get('retry-after') };
    });
    const during = { work: median(await timed(work, 15)), look: median(await timed(look, 15)) };
    const answers = await attack;
    const seconds = (Date.now() - started) / 1000;

    // The flood may run into a second or third minute; each has a bound of its own.
    const minutes = Math.floor((started + seconds * 1000) / 60_000) - Math.floor(started / 60_000) + 1;
    const counts = tally(answers.map(({ status }) => status));
    t.log(`${JSON.stringify(counts)} in ${seconds.toFixed(1)} s`, before, during);
    t.deepEqual(Object.keys(counts).sort(), ['202', '429']);
    t.true((counts['202'] ?? 0) <= TO_ONE * minutes, JSON.stringify(counts));
    t.true((counts['202'] ?? 0) >= TO_ONE - 50, JSON.stringify(counts));
    const refused = answers.filter(({ status }) => status === 429);
    t.deepEqual([...new Set(refused.map(({ limit }) => limit))].sort(), [
      'notifications',
      'notifications to one receiver',
    ]);
    t.true(refused.every(({ wait }) => Number(wait) >= 1 && Number(wait) <= 60));

    t.true(during.work < before.work * 8 + 10, JSON.stringify({ before, during }));
    const after = median(await timed(look, 9));
    t.true(after < before.look * 6 + 15, `inbox ${String(before.look)} → ${String(after)}`);
    const { notifications } = (await victim.get('/inbox')).body;
    t.true(notifications.length > 0 && notifications.length <= 50);
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    t.is(stream.heard(), counts['202'] ?? 0, 'the stream told each that was accepted');
    stream.stop();

    const refusedIn = (lines: readonly Record<string, unknown>[]): number =>
      lines
        .flatMap(({ details }) => Object.values((details as { refused: Record<string, number> }).refused))
        .reduce((sum, count) => sum + count, 0);
    const lines = await eventually(
      async () => (await admin.get('/audit?action=limits.refused&limit=100')).body.events,
      (found) => refusedIn(found) >= (counts['429'] ?? 0),
      REPORT_MS * 2,
    );
    t.is(refusedIn(lines), counts['429'] ?? 0);
    t.true(lines.length <= senders.length * ((seconds * 1000) / REPORT_MS + 2), `${String(lines.length)} lines`);
    const rows = await asOwner<{ count: number }>(stack, 'SELECT count(*)::int AS count FROM request_limits');
    t.true((rows[0]?.count ?? 99) <= 12, 'counters do not grow with the flood');
  },
);

test.serial('NOTE-1, X-2: a notification that was sent is answered again while its sender is refused', async (t) => {
  t.timeout(60_000);
  const sender = by('analyst-agent');
  const send = (n: number) =>
    sender.post(
      '/notifications',
      { target: 'manager', message: String(n) },
      { 'idempotency-key': `note-${String(n)}` },
    );
  const first = await send(0);
  t.is(first.status, 202);
  for (let again = 0; again < 20; again += 1) t.is((await send(0)).headers.get('idempotent-replayed'), 'true');
  const answers = await flood(PER_SENDER * 2 + 50, 8, (n) => send(n + 1));
  t.true(answers.some(({ status }) => status === 429));
  const repeated = await send(0);
  t.is(repeated.status, 202);
  t.is(repeated.body.notification_id, first.body.notification_id);
  const refused = answers.findIndex(({ status }) => status === 429);
  // A refusal keeps nothing, so that the key is free for another body: refused again, or sent once the minute has turned.
  const key = { 'idempotency-key': `note-${String(refused + 1)}` };
  const other = await sender.post('/notifications', { target: 'manager', message: 'other' }, key);
  t.true([202, 429].includes(other.status), JSON.stringify(other.body));
});
