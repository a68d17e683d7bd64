import { request } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

import test from 'ava';

import { callerOf } from '../../support/caller.ts';
import type { Caller } from '../../support/caller.ts';
import { asOwner } from '../../support/scene.ts';
import { startStack } from '../../support/stack.ts';
import type { TestStack } from '../../support/stack.ts';
import { median, timed } from './flood.ts';

const EVENTS = 25_000;
const LOT = 2_500;

let stack: TestStack;
test.before(async (t) => {
  t.timeout(180_000);
  stack = await startStack({ worker: false });
});
test.after.always(() => stack.close());

const open = (who: Caller, headers: Record<string, string> = {}): Promise<IncomingMessage> =>
  new Promise((resolve, reject) => {
    const all = { authorization: `Bearer ${who.key}`, ...headers };
    request(`${stack.apiUrl}/stream?topics=notifications`, { headers: all })
      .on('response', resolve)
      .on('error', reject)
      .end();
  });

/** Numbers of the events that a stream tells, and its last id; until it ends or has told so many. */
async function read(
  stream: IncomingMessage,
  most: number,
): Promise<{ readonly numbers: number[]; readonly last: string }> {
  const numbers: number[] = [];
  let [last, rest] = ['', ''];
  stream.setEncoding('utf8');
  try {
    for await (const chunk of stream) {
      const blocks = (rest + String(chunk)).split('\n\n');
      rest = blocks.pop() ?? '';
      for (const block of blocks) {
        const [, id, number] = /^id: (\S+)\n[^]*"number":(\d+)/.exec(block.replace(/\nevent: \w+/, '')) ?? [];
        if (id === undefined) continue;
        last = id;
        numbers.push(Number(number));
      }
      if (numbers.length >= most) break;
    }
  } catch {
    // Cut in the middle: what came so far counts.
  }
  return { numbers, last };
}

test('X-7, OPS-2: a client that does not read its stream is cut, costs the others nothing, and misses nothing when it comes back', async (t) => {
  t.timeout(180_000);
  const [victim, other] = [callerOf(stack, 'hr-agent'), callerOf(stack, 'legal-agent')];
  const before = median(await timed(() => other.get('/tasks'), 9));
  const stalled = await open(victim);
  stalled.pause();
  const cut = Promise.withResolvers<boolean>();
  stalled.on('error', () => cut.resolve(true)).on('close', () => cut.resolve(true));
  const during: number[] = [];
  for (let from = 0; from < EVENTS; from += LOT) {
    await asOwner(
      stack,
      `INSERT INTO outbox (organisation_id, topic, type, subject_id, audience, data)
       SELECT $1, 'notifications', 'notification.sent', 'note', ARRAY[$2], jsonb_build_object('number', n, 'message', repeat('x', 500))
       FROM generate_series($3::int, $4::int) AS n`,
      [stack.organisationId, `agent:${victim.id}`, from, from + LOT - 1],
    );
    during.push(...(await timed(() => other.get('/tasks'), 3)));
  }
  t.true(median(during) < before * 8 + 10, `${String(before)} → ${String(median(during))}`);

  const first = await read(stalled, EVENTS);
  // The end of what is read may come before the connection is heard to close.
  t.true(
    await Promise.race([cut.promise, sleep(5_000, false)]),
    `read ${String(first.numbers.length)} of ${String(EVENTS)}`,
  );
  t.true(first.numbers.length < EVENTS, 'it was cut before everything was written');
  t.not(first.last, '');
  const second = await read(await open(victim, { 'last-event-id': first.last }), EVENTS - first.numbers.length);
  t.deepEqual(
    [...first.numbers, ...second.numbers],
    Array.from({ length: EVENTS }, (_, n) => n),
  );
});
