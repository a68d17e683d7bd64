import test from 'ava';

import { taskWorkflowId } from '../../../contracts/tasks.ts';
import { recordTransition } from '../../../db/record.ts';
import { SupersededWriter } from '../../../db/writers.ts';
import type { Transition } from '../../../contracts/record.ts';
import { newId } from '../../../platform/ids.ts';
import { asOwner } from '../../support/scene.ts';
import { startStack } from '../../support/stack.ts';
import type { TestStack } from '../../support/stack.ts';

let stack: TestStack;
test.before(async (t) => {
  t.timeout(180_000);
  stack = await startStack();
});
test.after.always(() => stack.close());

test('TASK-7, OPS-5: a worker that was halted and wakes up late takes back nothing that was recorded since', async (t) => {
  const task = newId('task');
  const workflow_id = taskWorkflowId(stack.organisationId, task);
  const line = (sequence: number, change_id: string, attempt_at: number): Transition => ({
    organisation_id: stack.organisationId,
    workflow_id,
    sequence,
    change_id,
    attempt_at,
    at: new Date(attempt_at).toISOString(),
    trace_id: 'trace',
    event: {
      action: 'task.progressed',
      actor: { kind: 'agent', id: stack.ids['hr-agent'] ?? '', role: 'hr', acts_for: null, administrator: false },
      on_behalf_of: null,
      subject: { kind: 'task', id: task },
      outcome: 'ok',
      task_id: task,
      session_id: null,
      policies: [],
      privacy: {},
      details: {},
    },
    audience: [],
    notices: [],
  });
  const record = (...of: Parameters<typeof line>): Promise<unknown> => recordTransition(stack.database, line(...of));
  const began = Date.now();
  await record(1, 'start/0', began);
  await record(2, 'first/0', began + 10);
  // Another attempt took its updates in another order, which supersedes; then the first one wakes up.
  await record(2, 'second/0', began + 20);
  await record(3, 'first/0', began + 20);
  await t.throwsAsync(record(3, 'second/0', began + 10), { instanceOf: SupersededWriter });
  await t.throwsAsync(record(2, 'first/0', began + 10), { instanceOf: SupersededWriter });
  await record(3, 'first/0', began + 20);
  await record(4, 'third/0', began + 30);
  const rows = await asOwner<{ sequence: number; change_id: string }>(
    stack,
    'SELECT sequence, change_id FROM audit_events WHERE workflow_id = $1 ORDER BY position',
    [workflow_id],
  );
  t.deepEqual(
    rows.map(({ sequence, change_id }) => `${String(sequence)} ${change_id}`),
    ['1 start/0', '2 first/0', '2 second/0', '3 first/0', '4 third/0'],
  );
});
