import test from 'ava';

import { follow } from '../../../db/listen.ts';
import { eventually } from '../../support/rest.ts';
import { asOwner } from '../../support/scene.ts';
import { startStack } from '../../support/stack.ts';
import type { TestStack } from '../../support/stack.ts';

let stack: TestStack;
test.before(async (t) => {
  t.timeout(180_000);
  stack = await startStack({ worker: false });
});
test.after.always(() => stack.close());

const CHANNEL = 'follow_test';
const listeners = async (): Promise<number[]> =>
  (
    await asOwner<{ pid: number }>(
      stack,
      `SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND query = 'LISTEN "${CHANNEL}"'`,
    )
  ).map(({ pid }) => pid);
const cut = (): Promise<object[]> =>
  asOwner(
    stack,
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
     WHERE datname = current_database() AND query = 'LISTEN "${CHANNEL}"'`,
  );

test.serial(
  'X-7: who follows a channel comes back after an interruption, and is told that it may have missed something',
  async (t) => {
    const told: string[] = [];
    let [opened, lost] = [0, 0];
    const following = await follow(stack.databaseUrl, CHANNEL, {
      onTold: (payload) => told.push(payload),
      onOpen: () => (opened += 1),
      onLost: () => (lost += 1),
    });
    t.teardown(() => following.close());
    t.true(following.connected);
    await asOwner(stack, `NOTIFY ${CHANNEL}, 'one'`);
    await cut();
    await eventually(
      () => Promise.resolve(opened),
      (times) => times === 2,
    );
    await asOwner(stack, `NOTIFY ${CHANNEL}, 'two'`);
    await eventually(
      () => Promise.resolve(told),
      ({ length }) => length === 2,
    );
    t.deepEqual([told, lost, following.connected], [['one', 'two'], 1, true]);
  },
);

test.serial('X-8: who stops following while the connection comes back leaves none behind', async (t) => {
  let lost = false;
  const following = await follow(stack.databaseUrl, CHANNEL, {
    onTold: () => undefined,
    onLost: () => (lost = true),
  });
  await cut();
  await eventually(
    () => Promise.resolve(lost),
    (gone) => gone,
  );
  // About when it connects again.
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  await following.close();
  await new Promise((resolve) => setTimeout(resolve, 500));
  t.deepEqual(await listeners(), []);
});
