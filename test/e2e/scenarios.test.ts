import test from 'ava';
import type { ExecutionContext } from 'ava';

import { openCast } from '../../cli/demo/cast.ts';
import { Checks } from '../../cli/demo/checks.ts';
import { play } from '../../cli/demo/play.ts';
import { startScenarioStack } from '../support/scenario-stack.ts';

const said: string[] = [];
let checks = new Checks();

// The scenarios are played once; each test below reads what was seen of one requirement.
test.before(async (t) => {
  t.timeout(180_000);
  const { place, close } = await startScenarioStack();
  const cast = await openCast(place);
  try {
    checks = await play(cast, ['expense', 'legal', 'departments'], { say: (line) => said.push(line) });
  } finally {
    await cast.close();
    await close();
  }
});

/** Every check of the requirement holds, and there are at least so many. */
function holds(requirement: string, atLeast: number): (t: ExecutionContext) => void {
  return (t) => {
    const seen = checks.all.filter((check) => check.requirement === requirement);
    t.deepEqual(
      seen.filter(({ ok }) => !ok),
      [],
      said.join('\n'),
    );
    t.true(seen.length >= atLeast, `only ${String(seen.length)} checks of ${requirement}`);
  };
}

test('MCP-1: the three scenarios are played to their end by agents over MCP and people over REST', (t) => {
  t.deepEqual(checks.failed, []);
  t.true(checks.all.length >= 90, String(checks.all.length));
});
test('TASK-1: tasks are sent in one round trip and their receipts tell what was masked', holds('TASK-1', 4));
test('TASK-2: a task for a role goes to its agent that is online', holds('TASK-2', 1));
test('TASK-3: agents find their tasks and claim them', holds('TASK-3', 4));
test('TASK-4: tasks are handed off with context and completed with a result that fits', holds('TASK-4', 6));
test('TASK-5: work that is late is reminded, escalated along the org chart and recorded', holds('TASK-5', 8));
test('TASK-6: the sender reads result and timeline with fetch_status', holds('TASK-6', 2));
test('APPR-1: approvals are requested for tasks and sessions', holds('APPR-1', 2));
test('APPR-2: requesters never decide, and a quorum takes two different people', holds('APPR-2', 6));
test(
  'APPR-3: approve with edits, request changes, revise, approve; late and foreign answers are refused',
  holds('APPR-3', 9),
);
test('APPR-5: nothing can be redeemed before somebody approved', holds('APPR-5', 1));
test('APPR-6: exactly the approved action is redeemed, once', holds('APPR-6', 5));
test('APPR-7: an approval waits in the inbox of those who may decide it', holds('APPR-7', 1));
test('AUD-1: the record of all that was played verifies with the public keys', holds('AUD-1', 1));
test('AUD-3: the receipt of the decision has every step, holds offline, and a forged one does not', holds('AUD-3', 3));
test('SESS-1: sessions go through their states in REST, MCP and Temporal alike', holds('SESS-1', 5));
test('SESS-2: participants, hand-off of the lead, and the sum of tasks and approvals', holds('SESS-2', 4));
test('SESS-3: a shard is versioned, masked for each reader, and unknown to everybody else', holds('SESS-3', 12));
test('SESS-4: a paused session hands out nothing and its clocks stand; resuming continues', holds('SESS-4', 8));
test('SESS-6: the timeline tells everything in order, as far as the reader may know', holds('SESS-6', 2));
test('NOTE-1: notices reach their inboxes, once, and are acknowledged', holds('NOTE-1', 3));
test('GUARD-4: on the wire each agent received exactly what its clearance allows', holds('GUARD-4', 9));
