import test from 'ava';

import { startStack } from '../../support/stack.ts';
import type { TestStack } from '../../support/stack.ts';
import { wayOf } from '../mcp-extension/ways.ts';

/** The extension waits by itself where it is asked to wait less than this. */
const WAITED_FOR_MS = 30_000;

let stack: TestStack;
test.before(async (t) => {
  t.timeout(180_000);
  stack = await startStack({ limits: { notificationsPerMinute: 3 } });
});
test.after.always(() => stack.close());

test('MCP-2, NOTE-1: an agent that notifies too often gets a tool error that says how long to wait', async (t) => {
  t.timeout(120_000);
  const left = 60_000 - (Date.now() % 60_000);
  if (left < WAITED_FOR_MS + 15_000) await new Promise((resolve) => setTimeout(resolve, left + 100));
  const { apiUrl, keys } = stack;
  const client = await wayOf('HTTP, 2026')(t, { apiUrl, key: keys['finance-agent'] ?? '' });
  const notify = (n: number) =>
    client.callTool({ name: 'notify', arguments: { target: 'hr', message: String(n), priority: 'low' } });
  for (let n = 0; n < 3; n += 1) t.not((await notify(n)).isError, true);
  const refused = await notify(3);
  t.true(refused.isError);
  const text = JSON.stringify(refused.content);
  t.regex(text, /rate_limited/);
  t.regex(text, /Repeat it in \d+ s/);
  t.regex(text, /ask less often/);
  t.not((await client.callTool({ name: 'list_tasks', arguments: {} })).isError, true, 'other tools go on');
});
