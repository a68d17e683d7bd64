import { WorkflowExecutionAlreadyStartedError } from '@temporalio/client';

import { actorOf } from '../../contracts/actor.ts';
import { durationSeconds } from '../../contracts/time.ts';
import {
  admissionUpdate,
  cancelTask,
  changeUpdate,
  claimTask,
  completeTask,
  declineTask,
  failTask,
  getTask,
  handoffTask,
  listTasks,
  reportProgress,
  retryTask,
  routeTask,
  TASK_WORKFLOW,
  taskContentOf,
  taskWorkflowId,
} from '../../contracts/tasks.ts';
import type {
  RouteTask,
  TaskChange,
  TaskReceipt,
  TaskStart,
  TaskState,
  TaskView,
  TaskWorkflow,
} from '../../contracts/tasks.ts';
import { findTask, listTasks as queryTasks } from '../../db/tasks.ts';
import type { TaskRow } from '../../db/tasks.ts';
import { notASchema } from '../../platform/json-schema.ts';
import type { Action } from '../../policy/actions.ts';
import type { Call } from '../call.ts';
import type { ApiDeps } from '../deps.ts';
import { mount } from '../http.ts';
import type { Mounting } from '../http.ts';
import { decisionOn, requirePermission } from '../permission.ts';
import { ApiError, notFound } from '../problem.ts';
import { afterOf, pageOf } from '../views.ts';
import { ask, startAndAsk, storeContent } from '../workflows.ts';
import { taskScopes } from './scopes.ts';
import { taskResource, taskViews } from './view.ts';

/** A task that the caller may read; whoever may not is told that it does not exist. */
export async function readableTask(
  { database }: ApiDeps,
  { principal }: Pick<Call, 'principal'>,
  taskId: string,
): Promise<TaskRow> {
  const row = await database.inOrganisation(principal.organisation_id, (sql) => findTask(sql, taskId));
  if (!row || !decisionOn(principal, 'task:read', taskResource(row)).allow) throw notFound(`Task ${taskId}`);
  return row;
}

async function viewOf(deps: ApiDeps, call: Call, row: TaskRow): Promise<TaskView> {
  const [view] = await taskViews(deps, call.principal, [row]);
  if (!view) throw notFound(`Task ${row.id}`);
  return view;
}

async function route(deps: ApiDeps, call: Call, input: RouteTask): Promise<TaskReceipt> {
  const fault = input.output_schema && notASchema(input.output_schema);
  if (fault !== undefined)
    throw new ApiError({ code: 'invalid_input', detail: `output_schema: ${fault}` }, [
      { pointer: '/output_schema', detail: fault },
    ]);
  const { principal } = call;
  const content = await storeContent(deps, call, {
    ...taskContentOf(input),
    output_schema: input.output_schema ?? null,
  });
  const seconds = (duration: string | undefined): number | null =>
    duration === undefined ? null : durationSeconds(duration);
  const start: TaskStart = {
    organisation_id: principal.organisation_id,
    task_id: call.id,
    trace_id: call.traceId,
    sender: actorOf(principal),
    sender_role: principal.role,
    target: input.target,
    content,
    skills: input.skills,
    priority: input.priority,
    session_id: input.session_id ?? null,
    parent_task_id: input.parent_task_id ?? null,
    respond_seconds: seconds(input.sla?.respond_within),
    complete_seconds: seconds(input.sla?.complete_within),
    lease_seconds: durationSeconds(input.lease),
    max_attempts: input.max_attempts,
    checks_result: input.output_schema !== undefined,
    changes_per_run: 500,
  };
  const workflowId = taskWorkflowId(principal.organisation_id, call.id);
  const { session_id: session } = start;
  try {
    const begin = {
      type: TASK_WORKFLOW,
      workflowId,
      args: [start] as [TaskStart],
      kind: 'task',
      role: principal.role,
      session,
    };
    return await startAndAsk<TaskWorkflow, TaskReceipt>(deps, call, begin, admissionUpdate);
  } catch (error) {
    // Only a repetition meets a task that has ended; its first answer was lost on the way, the task was not.
    if (error instanceof WorkflowExecutionAlreadyStartedError)
      return receiptOf(await readableTask(deps, call, call.id));
    throw error;
  }
}

const receiptOf = (row: TaskRow): TaskReceipt => ({
  task_id: row.id,
  status: row.status,
  target: row.target,
  assignee: row.assignee_id,
  assigned_because: 'see the timeline',
  session_id: row.session_id,
  masked: [],
  trace_id: row.trace_id,
});

type Body = TaskChange extends infer C ? (C extends unknown ? Omit<C, 'actor' | 'trace_id'> : never) : never;

/** Asks policy, then the workflow; a task that has ended answers from its last state. */
async function change(deps: ApiDeps, call: Call, taskId: string, action: Action, body: Body): Promise<TaskState> {
  const { principal } = call;
  const { organisation_id } = principal;
  const row = await deps.database.inOrganisation(organisation_id, (sql) => findTask(sql, taskId));
  if (!row) throw notFound(`Task ${taskId}`);
  await requirePermission(deps, call, action, taskResource(row), taskId);
  const update = { ...body, actor: actorOf(principal), trace_id: call.traceId } as TaskChange;
  const state = await ask(deps, call, taskWorkflowId(organisation_id, taskId), changeUpdate, update);
  if (state) return state;
  const { status } = await readableTask(deps, call, taskId);
  const facts = { state: status, allowed: [] };
  throw new ApiError({
    code: 'illegal_transition',
    detail: `The task is ${status}; ${body.type} is not possible.`,
    facts,
  });
}

/** Routes of tasks. */
export function mountTasks(mounting: Mounting): void {
  const { deps } = mounting;
  mount(mounting, routeTask, (input, call) => route(deps, call, input), { creates: 'task' });

  mount(mounting, listTasks, async (input, { principal }) => {
    const { status, limit } = input;
    const rows = await deps.database.inOrganisation(principal.organisation_id, (sql) =>
      queryTasks(sql, {
        scopes: taskScopes(principal, input),
        statuses: status ? [status] : [],
        target: input.target,
        session_id: input.session_id,
        parent_task_id: input.parent_task_id,
        after: afterOf(input.cursor),
        ascending: input.sort === 'created',
        limit: limit + 1,
      }),
    );
    const page = pageOf(rows, limit);
    return { tasks: await taskViews(deps, principal, page.rows), next_cursor: page.next };
  });

  mount(mounting, getTask, async ({ task_id }, call) => viewOf(deps, call, await readableTask(deps, call, task_id)));

  mount(mounting, claimTask, async ({ task_id, lease }, call) => {
    const lease_seconds = lease === undefined ? null : durationSeconds(lease);
    await change(deps, call, task_id, 'task:claim', { type: 'claim', lease_seconds });
    return viewOf(deps, call, await readableTask(deps, call, task_id));
  });

  mount(mounting, reportProgress, async ({ task_id, percent, note }, call) => {
    const stored = note === undefined ? null : await storeContent(deps, call, { note });
    return change(deps, call, task_id, 'task:progress', { type: 'progress', percent: percent ?? null, note: stored });
  });

  mount(mounting, completeTask, async ({ task_id, result = null }, call) =>
    change(deps, call, task_id, 'task:complete', {
      type: 'complete',
      content: await storeContent(deps, call, { result }),
    }),
  );

  mount(mounting, failTask, async ({ task_id, reason }, call) =>
    change(deps, call, task_id, 'task:fail', { type: 'fail', content: await storeContent(deps, call, { reason }) }),
  );

  mount(mounting, declineTask, async ({ task_id, reason }, call) =>
    change(deps, call, task_id, 'task:decline', {
      type: 'decline',
      content: await storeContent(deps, call, { reason }),
    }),
  );

  mount(mounting, handoffTask, async ({ task_id, target, context = null, reason = null }, call) => {
    const content = await storeContent(deps, call, { from: call.principal.id, context, reason });
    return change(deps, call, task_id, 'task:handoff', { type: 'handoff', target, content });
  });

  mount(mounting, cancelTask, async ({ task_id, reason }, call) => {
    const content = reason === undefined ? null : await storeContent(deps, call, { reason });
    return change(deps, call, task_id, 'task:cancel', { type: 'cancel', content });
  });

  mount(mounting, retryTask, ({ task_id }, call) => change(deps, call, task_id, 'task:retry', { type: 'retry' }));
}
