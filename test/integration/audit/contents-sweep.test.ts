import test from 'ava';

import { RECONCILE_WORKFLOW } from '../../../contracts/deliveries.ts';
import { taskWorkflowId } from '../../../contracts/task-workflow.ts';
import { putSealed } from '../../../db/contents.ts';
import { newId } from '../../../platform/ids.ts';
import { callerOf } from '../../support/caller.ts';
import { asOwner } from '../../support/scene.ts';
import { startStack } from '../../support/stack.ts';
import type { TestStack } from '../../support/stack.ts';

let stack: TestStack;
test.before(async (t) => {
  t.timeout(180_000);
  stack = await startStack();
});
test.after.always(() => stack.close());

let sweeps = 0;
const sweep = (): Promise<unknown> =>
  stack.client.workflow.execute(RECONCILE_WORKFLOW, {
    workflowId: `sweep-${stack.taskQueue}-${String((sweeps += 1))}`,
    taskQueue: stack.taskQueue,
  });

/** Sealed content as a request leaves it that dies before its workflow starts. */
async function orphan({ id = newId('content'), days = 2, sweeps = 120 } = {}): Promise<string> {
  await stack.database.inOrganisation(stack.organisationId, (sql) => putSealed(sql, id, Buffer.from('sealed')));
  await asOwner(
    stack,
    "UPDATE contents SET created_at = now() - $2 * interval '1 day', sweeps = $3 WHERE id = $1 RETURNING id",
    [id, days, sweeps],
  );
  return id;
}
const rowOf = async (id: string): Promise<{ sweeps: number } | undefined> =>
  (await asOwner<{ sweeps: number }>(stack, 'SELECT sweeps FROM contents WHERE id = $1', [id]))[0];

test.serial(
  'OPS-4: sealed content whose request died is removed, once it is old and workers have long been at work',
  async (t) => {
    const old = await orphan();
    const young = await orphan({ days: 0 });
    const afterOutage = await orphan({ sweeps: 0, days: 30 });
    await sweep();
    t.is(await rowOf(old), undefined);
    t.is((await rowOf(young))?.sweeps, 120, 'younger than a day');
    t.is((await rowOf(afterOutage))?.sweeps, 1, 'old, but workers were not there to take it');
  },
);

test.serial('OPS-4: content of a workflow that is open, and content that was masked, stays', async (t) => {
  const task = newId('task');
  const content = await orphan({ id: task.replace('task_', 'cont_') });
  // No worker serves this queue: the workflow waits with its content still sealed.
  await stack.client.workflow.start('task', {
    workflowId: taskWorkflowId(stack.organisationId, task),
    taskQueue: 'nobody-is-there',
    args: [{}],
  });
  const sent = await callerOf(stack, 'finance-agent').post('/tasks/route', {
    target: 'hr',
    type: 'x',
    payload: { a: 1 },
  });
  const masked = sent.body.task_id.replace('task_', 'cont_');
  await asOwner(
    stack,
    "UPDATE contents SET created_at = now() - interval '9 days', sweeps = 120 WHERE id = $1 RETURNING id",
    [masked],
  );
  await sweep();
  t.is((await rowOf(content))?.sweeps, 0, 'kept, and counted anew');
  t.truthy(await rowOf(masked));
  await stack.client.workflow.getHandle(taskWorkflowId(stack.organisationId, task)).terminate();
});

test.serial('X-2: a request that is repeated late makes its content young again, or brings it back', async (t) => {
  const id = await orphan();
  const seal = () =>
    stack.database.inOrganisation(stack.organisationId, (sql) => putSealed(sql, id, Buffer.from('sealed')));
  await seal();
  await sweep();
  t.is((await rowOf(id))?.sweeps, 0, 'the repetition came before the sweep');
  await orphan({ id });
  await sweep();
  t.is(await rowOf(id), undefined);
  await seal();
  t.truthy(await rowOf(id), 'the repetition came after it');
});
