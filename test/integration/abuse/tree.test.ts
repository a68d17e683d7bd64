import { randomUUID } from 'node:crypto';

import test from 'ava';

import { FANOUT_WORKFLOW } from '../../../contracts/session-workflow.ts';
import { taskWorkflowId } from '../../../contracts/task-workflow.ts';
import { callerOf } from '../../support/caller.ts';
import type { Caller } from '../../support/caller.ts';
import { eventually } from '../../support/rest.ts';
import { asOwner } from '../../support/scene.ts';
import { startStack } from '../../support/stack.ts';
import type { TestStack } from '../../support/stack.ts';
import { flood, median, timed } from './flood.ts';

// SWITCHBOARD_TREE_WIDTH=1000 for the widest; fewer here, since other tests share the servers. Both take the fan-out.
const [DEEP, WIDE] = [50, Number(process.env['SWITCHBOARD_TREE_WIDTH'] ?? 300)];
/** Where Temporal ends a workflow whose history has grown too long. */
const MOST_EVENTS = 51_200;

let stack: TestStack;
test.before(async (t) => {
  t.timeout(180_000);
  stack = await startStack({ limits: { taskDepth: DEEP, taskChildren: WIDE, requestsPerSecond: 2_000 } });
});
test.after.always(() => stack.close());

const by = (name: string): Caller => callerOf(stack, name);
async function send(from: Caller, parent?: string): Promise<string> {
  const fields = { target: 'hr', type: 'x', ...(parent !== undefined && { parent_task_id: parent }) };
  // As a client does: told to come back, it repeats with the same key.
  const headers = { 'idempotency-key': randomUUID() };
  const { status, body } = await eventually(
    () => from.post('/tasks/route', fields, headers),
    (answer) => answer.status !== 503,
    60_000,
  );
  if (status !== 202) throw new Error(`${String(status)} ${JSON.stringify(body)}`);
  return body.task_id;
}
const openIn = async (ids: readonly string[]): Promise<number> => {
  const [row] = await asOwner<{ count: number }>(
    stack,
    "SELECT count(*)::int AS count FROM tasks WHERE id = ANY ($1) AND status <> 'cancelled'",
    [ids],
  );
  return row?.count ?? NaN;
};
const historyOf = async (workflowId: string) =>
  (await stack.client.workflow.getHandle(workflowId).fetchHistory()).events ?? [];

async function stillRunning(): Promise<number> {
  const { taskQueue, client } = stack;
  const { count } = await client.workflow.count(`TaskQueue = '${taskQueue}' AND ExecutionStatus = 'Running'`);
  return count;
}

test.serial(
  'TASK-4: cancelling the root of a chain of 50 tasks cancels all of them; a deeper one is refused',
  async (t) => {
    t.timeout(120_000);
    const sender = by('finance-agent');
    const chain: string[] = [];
    for (let level = 0; level < DEEP; level += 1) chain.push(await send(sender, chain.at(-1)));
    const deeper = await sender.post('/tasks/route', { target: 'hr', type: 'x', parent_task_id: chain.at(-1) });
    t.is(deeper.status, 422);
    t.is(deeper.body.code, 'tree_too_large');
    t.deepEqual(deeper.body['most'], { depth: DEEP });

    const started = Date.now();
    t.is((await sender.post(`/tasks/${String(chain[0])}/cancel`)).status, 200);
    await eventually(
      () => openIn(chain),
      (open) => open === 0,
      60_000,
    );
    t.log(`${String(DEEP)} levels in ${String(Date.now() - started)} ms`);
    t.is(await eventually(stillRunning, (count) => count === 0, 30_000), 0);
  },
);

test.serial(
  'TASK-4: cancelling a task with very many children cancels all of them, while other tasks are served',
  async (t) => {
    t.timeout(900_000);
    const [sender, bystander, worker] = [by('finance-agent'), by('legal-agent'), by('analyst-agent')];
    const root = await send(sender);
    const beginning = Date.now();
    const children = await flood(WIDE, 8, () => send(sender, root));
    const made = (Date.now() - beginning) / 1000;
    t.log(`${String(WIDE)} children in ${made.toFixed(1)} s`);
    const wider = await sender.post('/tasks/route', { target: 'hr', type: 'x', parent_task_id: root });
    t.is(wider.status, 422);
    t.deepEqual(wider.body['most'], { children: WIDE });
    const approvals = await flood(
      3,
      1,
      async () =>
        (await sender.post('/approvals', { task_id: root, approver_role: 'manager', reason: 'x' })).body.approval_id,
    );

    const life = async (): Promise<void> => {
      const { body } = await bystander.post('/tasks/route', { target: worker.id, type: 'x' });
      t.is((await worker.post(`/tasks/${body.task_id}/claim`)).status, 200);
      t.is((await worker.post(`/tasks/${body.task_id}/complete`, { result: {} })).status, 200);
    };
    const before = median(await timed(life, 7));
    const started = Date.now();
    const cancelled = await sender.post(`/tasks/${root}/cancel`);
    t.is(cancelled.status, 200);
    const answeredIn = Date.now() - started;
    const during = await timed(life, 7);
    t.true((await openIn(children)) > 0, 'measured while the cancellation ran');
    await eventually(
      () => openIn(children),
      (open) => open === 0,
      400_000,
    );
    const seconds = (Date.now() - started) / 1000;
    t.log(
      `answered in ${String(answeredIn)} ms, all cancelled in ${seconds.toFixed(1)} s; a life ${before.toFixed(0)} ms before, ${median(during).toFixed(0)} ms (slowest ${Math.max(...during).toFixed(0)}) during`,
    );
    // Against the time that this machine took to make them.
    t.true(seconds < made * 3 + 30, String(seconds));
    t.true(median(during) < before * 12 + 50);
    for (const id of approvals)
      t.is(
        (
          await eventually(
            async () => (await sender.get(`/approvals/${id}`)).body,
            ({ status }) => status !== 'pending',
          )
        ).status,
        'withdrawn',
      );

    const history = await historyOf(taskWorkflowId(stack.organisationId, root));
    t.true(history.length < 100, String(history.length));
    const fanouts = stack.client.workflow.list({
      query: `WorkflowType = '${FANOUT_WORKFLOW}' AND TaskQueue = '${stack.taskQueue}'`,
    });
    for await (const { workflowId, historyLength } of fanouts) {
      t.log(`${workflowId}: ${String(historyLength)} events`);
      t.true(historyLength < MOST_EVENTS / 5);
    }
    t.is(await eventually(stillRunning, (count) => count === 0, 30_000), 0);
  },
);
