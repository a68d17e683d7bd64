import anyTest from 'ava';
import type { TestFn } from 'ava';

import { startStack } from '../../support/stack.ts';
import type { TestStack } from '../../support/stack.ts';

/** The test function of a file whose tests share one stack, as `t.context.stack`: started before them, closed after. */
export function testWithStack(): TestFn<{ stack: TestStack }> {
  const test = anyTest as TestFn<{ stack: TestStack }>;
  let close: () => Promise<void> = () => Promise.resolve();
  test.before(async (t) => {
    t.timeout(180_000);
    const stack = await startStack();
    close = () => stack.close();
    t.context = { stack };
  });
  test.after.always(() => close());
  return test;
}
