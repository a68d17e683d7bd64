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
import { withContent, withOptionalContent } from '../content.ts';
import type { ApiDeps } from '../deps.ts';
import { mount } from '../http.ts';
import type { Mounting } from '../http.ts';
import { decisionOn, requirePermission } from '../permission.ts';
import { ApiError, notFound } from '../problem.ts';
import { afterOf, pageOf } from '../views.ts';
import { ask, startWithContent } from '../workflows.ts';
import type { Start } from '../workflows.ts';
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

const seconds = (duration: string | undefined): number | null =>
  duration === undefined ? null : durationSeconds(duration);

const startOf = (
  { limits: { settings } }: ApiDeps,
  { principal, id, traceId }: Call,
  input: RouteTask,
  content: string,
): TaskStart => ({
  organisation_id: principal.organisation_id,
  task_id: id,
  trace_id: traceId,
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
  tree: { depth: settings.taskDepth, children: settings.taskChildren },
  changes_per_run: 500,
});

async function route(deps: ApiDeps, call: Call, input: RouteTask): Promise<TaskReceipt> {
  const fault = input.output_schema && notASchema(input.output_schema);
  if (fault !== undefined)
    throw new ApiError({ code: 'invalid_input', detail: `output_schema: ${fault}` }, [
      { pointer: '/output_schema', detail: fault },
    ]);
  const { organisation_id, role } = call.principal;
  const words = { ...taskContentOf(input), output_schema: input.output_schema ?? null };
  const startWith = (content: string): Start<[TaskStart]> => {
    const start = startOf(deps, call, input, content);
    const workflowId = taskWorkflowId(organisation_id, call.id);
    return { type: TASK_WORKFLOW, workflowId, args: [start], kind: 'task', role, session: start.session_id };
  };
  const receipt = await startWithContent<TaskWorkflow, TaskReceipt>(deps, call, words, startWith, admissionUpdate);
  // Only a repetition meets a task that has ended; its first answer was lost on the way, the task was not.
  return receipt ?? receiptOf(await readableTask(deps, call, call.id));
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

/** The right to change a task: asked before anything of the request is kept. */
async function requireChange(deps: ApiDeps, call: Call, taskId: string, action: Action): Promise<void> {
  const { organisation_id } = call.principal;
  const row = await deps.database.inOrganisation(organisation_id, (sql) => findTask(sql, taskId));
  if (!row) throw notFound(`Task ${taskId}`);
  await requirePermission(deps, call, action, taskResource(row), taskId);
}

/** A task that has ended answers from its last state. */
async function change(deps: ApiDeps, call: Call, taskId: string, body: Body): Promise<TaskState> {
  const { principal } = call;
  const update = { ...body, actor: actorOf(principal), trace_id: call.traceId };
  const state = await ask(deps, call, taskWorkflowId(principal.organisation_id, taskId), changeUpdate, update);
  if (state) return state;
  const { status } = await readableTask(deps, call, taskId);
  const facts = { state: status, allowed: [] };
  throw new ApiError({
    code: 'illegal_transition',
    detail: `The task is ${status}; ${body.type} is not possible.`,
    facts,
  });
}

/** A change that comes with words: they are kept only where it is permitted. */
async function changeWith(
  deps: ApiDeps,
  call: Call,
  { task_id, action, words }: { readonly task_id: string; readonly action: Action; readonly words: unknown },
  bodyOf: (content: string) => Body,
): Promise<TaskState> {
  await requireChange(deps, call, task_id, action);
  return withContent(deps, call, words, (content) => change(deps, call, task_id, bodyOf(content)));
}

/** Routes of tasks. */
export function mountTasks(mounting: Mounting): void {
  const { deps } = mounting;
  mount(mounting, routeTask, (input, call) => route(deps, call, input), { creates: 'task' });

  mount(mounting, listTasks, async (input, { principal }) => {
    const { status, limit } = input;
    const after = afterOf(input.cursor);
    const rows = await deps.database.inOrganisation(principal.organisation_id, (sql) =>
      queryTasks(sql, {
        scopes: taskScopes(principal, input),
        statuses: status ? [status] : [],
        target: input.target,
        session_id: input.session_id,
        parent_task_id: input.parent_task_id,
        after,
        ascending: input.sort === 'created',
        limit: limit + 1,
      }),
    );
    const page = pageOf(rows, limit);
    return { tasks: await taskViews(deps, principal, page.rows), next_cursor: page.next };
  });

  mount(mounting, getTask, async ({ task_id }, call) => viewOf(deps, call, await readableTask(deps, call, task_id)));

  mountChanges(mounting);
}

function mountChanges(mounting: Mounting): void {
  const { deps } = mounting;
  mount(mounting, claimTask, async ({ task_id, lease }, call) => {
    await requireChange(deps, call, task_id, 'task:claim');
    await change(deps, call, task_id, { type: 'claim', lease_seconds: seconds(lease) });
    return viewOf(deps, call, await readableTask(deps, call, task_id));
  });

  mount(mounting, reportProgress, async ({ task_id, percent = null, note }, call) => {
    await requireChange(deps, call, task_id, 'task:progress');
    const words = note === undefined ? undefined : { note };
    return withOptionalContent(deps, call, words, (content) =>
      change(deps, call, task_id, { type: 'progress', percent, note: content }),
    );
  });

  mount(mounting, completeTask, ({ task_id, result = null }, call) => {
    const asked = { task_id, action: 'task:complete', words: { result } } as const;
    return changeWith(deps, call, asked, (content) => ({ type: 'complete', content }));
  });

  mount(mounting, failTask, ({ task_id, reason }, call) => {
    const asked = { task_id, action: 'task:fail', words: { reason } } as const;
    return changeWith(deps, call, asked, (content) => ({ type: 'fail', content }));
  });

  mount(mounting, declineTask, ({ task_id, reason }, call) => {
    const asked = { task_id, action: 'task:decline', words: { reason } } as const;
    return changeWith(deps, call, asked, (content) => ({ type: 'decline', content }));
  });

  mount(mounting, handoffTask, ({ task_id, target, context = null, reason = null }, call) => {
    const asked = { task_id, action: 'task:handoff', words: { from: call.principal.id, context, reason } } as const;
    return changeWith(deps, call, asked, (content) => ({ type: 'handoff', target, content }));
  });

  mount(mounting, cancelTask, async ({ task_id, reason }, call) => {
    await requireChange(deps, call, task_id, 'task:cancel');
    const words = reason === undefined ? undefined : { reason };
    return withOptionalContent(deps, call, words, (content) =>
      change(deps, call, task_id, { type: 'cancel', content }),
    );
  });

  mount(mounting, retryTask, async ({ task_id }, call) => {
    await requireChange(deps, call, task_id, 'task:retry');
    return change(deps, call, task_id, { type: 'retry' });
  });
}
