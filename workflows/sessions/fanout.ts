import { continueAsNew, getExternalWorkflowHandle, patched, sleep, workflowInfo } from '@temporalio/workflow';

import { approvalWorkflowId, withdrawSignal } from '../../contracts/approval-workflow.ts';
import { parsePayload } from '../../contracts/parse.ts';
import { Fanout } from '../../contracts/session-workflow.ts';
import type { FanoutWorkflow } from '../../contracts/session-workflow.ts';
import { cancelSignal, pausedSignal, taskWorkflowId } from '../../contracts/task-workflow.ts';
import { local } from '../local.ts';

/** Signals under way at once. Each wakes a workflow: more would leave no room for anybody else's. */
const AT_ONCE = 50;
const BREATH = '200 milliseconds';

type Carried = NonNullable<Fanout['carried']>;
interface Page {
  readonly tasks: readonly string[];
  readonly approvals: readonly string[];
}

/** Carries a pause, its end or a cancellation to every open task of a scope, or to all that ends with a task. */
export const fanout: FanoutWorkflow = async (payload) => {
  const order = parsePayload(Fanout, payload);
  let done: Carried = order.carried ?? { task: null, approval: null, reached: 0 };
  let page = await pageAfter(order, done);
  while (page.tasks.length + page.approvals.length > 0) {
    await reachAll(order, page);
    done = {
      task: page.tasks.at(-1) ?? done.task,
      approval: page.approvals.at(-1) ?? done.approval,
      reached: done.reached + page.tasks.length + page.approvals.length,
    };
    if (workflowInfo().continueAsNewSuggested) await continueAsNew<FanoutWorkflow>({ ...order, carried: done });
    page = await pageAfter(order, done);
  }
  return { reached: done.reached };
};

async function pageAfter({ organisation_id, scope, id }: Fanout, { task, approval }: Carried): Promise<Page> {
  if (scope !== 'task')
    return { tasks: await local.openTasks({ organisation_id, scope, id, after: task }), approvals: [] };
  return local.openDependents({ organisation_id, task_id: id, after: { task, approval }, limit: AT_ONCE });
}

/** Signals a page, so many at a time; those that ended meanwhile cannot be reached and need not be. */
async function reachAll(order: Fanout, { tasks, approvals }: Page): Promise<void> {
  const signals = [
    ...tasks.map((id) => () => reachTask(order, id)),
    ...approvals.map((id) => () => withdraw(order, id)),
  ];
  // Runs that an earlier build began sent a whole page at once.
  const paced = signals.length >= AT_ONCE && patched('fanout-in-lots');
  const lot = paced ? AT_ONCE : signals.length;
  for (let at = 0; at < signals.length; at += lot) {
    await Promise.allSettled(signals.slice(at, at + lot).map((signal) => signal()));
    if (paced) await sleep(BREATH);
  }
}

const nameOf = ({ scope, id }: Fanout): string => {
  if (scope === 'task') return `task ${id}`;
  return scope === 'organisation' ? 'organisation' : `${scope}:${id}`;
};

function reachTask(order: Fanout, taskId: string): Promise<void> {
  const task = getExternalWorkflowHandle(taskWorkflowId(order.organisation_id, taskId));
  if (order.message === 'cancel') return task.signal(cancelSignal, { because: `${nameOf(order)} was cancelled` });
  return task.signal(pausedSignal, { by: nameOf(order), paused: order.message === 'pause' });
}

const withdraw = (order: Fanout, approvalId: string): Promise<void> =>
  getExternalWorkflowHandle(approvalWorkflowId(order.organisation_id, approvalId)).signal(withdrawSignal, {
    because: `${nameOf(order)} was cancelled`,
  });
