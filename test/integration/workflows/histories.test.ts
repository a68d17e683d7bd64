import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';

import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import test from 'ava';

import type { WirePayload } from '../../../contracts/codec.ts';
import { approvalWorkflowId } from '../../../contracts/approval-workflow.ts';
import { DIRECTORY_SWEEP_WORKFLOW, directoryChangeWorkflowId } from '../../../contracts/directory-workflow.ts';
import type { DirectorySweepWorkflow } from '../../../contracts/directory-workflow.ts';
import { deliveryWorkflowId, RECONCILE_WORKFLOW } from '../../../contracts/deliveries.ts';
import { RECIPE_TRIGGER_WORKFLOW, recipeRunWorkflowId } from '../../../contracts/recipe-workflow.ts';
import type { RecipeTriggerWorkflow } from '../../../contracts/recipe-workflow.ts';
import { SESSION_WORKFLOW, sessionWorkflowId } from '../../../contracts/session-workflow.ts';
import type { SessionStart, SessionWorkflow } from '../../../contracts/session-workflow.ts';
import { TASK_WORKFLOW, taskWorkflowId } from '../../../contracts/task-workflow.ts';
import type { TaskStart, TaskWorkflow } from '../../../contracts/task-workflow.ts';
import { newId } from '../../../platform/ids.ts';
import { createCodec } from '../../../temporal/codec.ts';
import { fromWire, toWire } from '../../../temporal/remote-codec.ts';
import { callerOf } from '../../support/caller.ts';
import type { Body, Caller } from '../../support/caller.ts';
import { mapPayloads } from '../../support/history-payloads.ts';
import type { HistoryJson } from '../../support/history-payloads.ts';
import { eventually, rest } from '../../support/rest.ts';
import { addAgent, asOwner } from '../../support/scene.ts';
import { startStack } from '../../support/stack.ts';
import type { TestStack } from '../../support/stack.ts';

const FOLDER = path.resolve(import.meta.dirname, '../../replay/histories');
const RECORD = process.env['SWITCHBOARD_RECORD_HISTORIES'] === 'true';

let stack: TestStack;
test.before(async (t) => {
  t.timeout(180_000);
  stack = await startStack({ limits: { requestsPerSecond: 2_000, requestsBurst: 2_000 } });
});
test.after.always(() => stack.close());

const by = (name: string): Caller => callerOf(stack, name);
const sleep = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds));
async function good(answer: Promise<{ status: number; body: Body }>): Promise<Body> {
  const { status, body } = await answer;
  if (status >= 300) throw new Error(`${String(status)} ${JSON.stringify(body)}`);
  return body;
}

interface HistoryEvent {
  readonly eventType: string;
}

/** Stacks name folders of the machine that recorded them; replay does not read them. */
function withoutStack(payload: WirePayload): WirePayload {
  const text = Buffer.from(payload.data ?? '', 'base64').toString('utf8');
  if (!text.includes('"stack_trace"')) return payload;
  const attributes = { ...(JSON.parse(text) as object), stack_trace: '' };
  return { ...payload, data: Buffer.from(JSON.stringify(attributes)).toString('base64') };
}

/** Histories are kept readable, so that a review sees what changed; the replay encrypts them again. */
async function readable(json: string): Promise<string> {
  const codec = createCodec(stack.historyKeys);
  const decoded = await mapPayloads(JSON.parse(json) as HistoryJson, async (payload) => {
    const [plain] = await codec.decode([fromWire(payload)]);
    return withoutStack(toWire(plain ?? {}));
  });
  return JSON.stringify(decoded, null, 2);
}

/** Fetches the history of one run, or of the newest, and keeps it where histories are being recorded. */
async function kept(name: string, workflowId: string, runId?: string): Promise<readonly HistoryEvent[]> {
  const history = await stack.client.workflow.getHandle(workflowId, runId).fetchHistory();
  const json = historyToJSON(history);
  if (RECORD) {
    mkdirSync(FOLDER, { recursive: true });
    const portable = (await readable(json)).replaceAll(/"stackTrace": "(?:[^"\\]|\\.)*"/g, '"stackTrace": ""');
    writeFileSync(path.join(FOLDER, `${name}.json`), `${portable}\n`);
  }
  return (JSON.parse(json) as { events: HistoryEvent[] }).events;
}
const ended = async (workflowId: string): Promise<void> => {
  const handle = stack.client.workflow.getHandle(workflowId);
  await eventually(
    () => handle.describe(),
    ({ status }) => status.name !== 'RUNNING',
  );
};
const taskFlow = (id: string): string => taskWorkflowId(stack.organisationId, id);
const approvalFlow = (id: string): string => approvalWorkflowId(stack.organisationId, id);
const sessionFlow = (id: string): string => sessionWorkflowId(stack.organisationId, id);
const count = (events: readonly HistoryEvent[], type: string): number =>
  events.filter(({ eventType }) => eventType === `EVENT_TYPE_${type}`).length;

/** Content that a workflow which is started by hand can refer to. */
async function emptyContent(): Promise<string> {
  const id = newId('content');
  await stack.database.inOrganisation(stack.organisationId, (sql) =>
    sql.query(
      "INSERT INTO contents (organisation_id, id, masked) VALUES (current_setting('app.organisation'), $1, '{}')",
      [id],
    ),
  );
  return id;
}

test('TASK-7: a task that is routed, claimed and completed has at most 30 events; admission is one workflow task', async (t) => {
  const [from, to] = [by('finance-agent'), by('hr-agent')];
  const { task_id } = await good(from.post('/tasks/route', { target: to.id, type: 'x' }));
  const admission = await kept('task-admitted', taskFlow(task_id));
  t.is(count(admission, 'WORKFLOW_TASK_COMPLETED'), 1, admission.map(({ eventType }) => eventType).join(' '));
  t.is(count(admission, 'WORKFLOW_EXECUTION_UPDATE_COMPLETED'), 1);
  await good(to.post(`/tasks/${task_id}/claim`));
  await good(to.post(`/tasks/${task_id}/complete`, { result: { done: true } }));
  await ended(taskFlow(task_id));
  const events = await kept('task-completed', taskFlow(task_id));
  t.log(`${String(events.length)} events`);
  t.true(
    events.length <= 30,
    `${String(events.length)}: ${events.map(({ eventType }) => eventType.slice(11)).join(' ')}`,
  );
});

test('TASK-3, TASK-4: the life of a task with lost leases, hand-off, retry and cancellation', async (t) => {
  const [from, to] = [by('finance-agent'), by('hr-agent')];
  const sla = { respond_within: '1s', complete_within: '2s' };
  const fields = { target: to.id, type: 'x', lease: '1s', max_attempts: 2, sla, output_schema: { type: 'object' } };
  const { task_id } = await good(from.post('/tasks/route', fields));
  const child = await good(from.post('/tasks/route', { target: 'legal', type: 'x', parent_task_id: task_id }));
  const approval = await good(from.post('/approvals', { task_id, approver_role: 'manager' }));
  const status = async (wanted: string): Promise<Body> =>
    eventually(
      async () => (await from.get(`/tasks/${task_id}`)).body,
      (task) => task.status === wanted && (wanted !== 'pending' || task.assignee !== null),
    );
  await eventually(
    async () => (await from.get(`/tasks/${task_id}`)).body,
    (task) => task['escalated_to'] !== null,
  );
  for (const next of ['pending', 'stalled']) {
    await good(to.post(`/tasks/${task_id}/claim`));
    await status(next);
  }
  await good(from.post(`/tasks/${task_id}/retry`));
  await good(to.post(`/tasks/${task_id}/claim`, { lease: '1h' }));
  await good(to.post(`/tasks/${task_id}/progress`, { percent: 50, note: 'half' }));
  t.is((await to.post(`/tasks/${task_id}/complete`, { result: 1 })).status, 422);
  await good(to.post(`/tasks/${task_id}/handoff`, { target: 'legal', context: { a: 1 } }));
  await good(from.post(`/tasks/${task_id}/cancel`, { reason: 'over' }));
  await Promise.all([task_id, child.task_id].map((id) => ended(taskFlow(id))));
  await ended(approvalFlow(approval.approval_id));
  t.true((await kept('task-stalled-and-cancelled', taskFlow(task_id))).length > 30);
  t.truthy(await kept('task-cancelled-with-parent', taskFlow(child.task_id)));
  t.truthy(await kept('approval-withdrawn-with-task', approvalFlow(approval.approval_id)));
});

test('TASK-4: the life of a task that is declined, fails, is paused and refused', async (t) => {
  const [from, to, administrator] = [by('finance-agent'), by('developer-agent'), by('Helena Voss')];
  await good(to.post('/agents/me/heartbeat'));
  const { task_id } = await good(from.post('/tasks/route', { target: 'developer', type: 'x' }));
  await good(administrator.put('/pauses/role/developer', { paused: true }));
  await eventually(async () => (await from.get(`/tasks/${task_id}`)).body['paused'], Boolean);
  await good(administrator.put('/pauses/role/developer', { paused: false }));
  await eventually(
    async () => (await from.get(`/tasks/${task_id}`)).body['paused'],
    (paused) => paused === false,
  );
  await good(to.post(`/tasks/${task_id}/decline`, { reason: 'busy' }));
  await good(by('Jonas Adeyemi').post(`/tasks/${task_id}/claim`));
  await good(by('Jonas Adeyemi').post(`/tasks/${task_id}/fail`, { reason: 'no' }));
  await good(from.post(`/tasks/${task_id}/cancel`));
  await ended(taskFlow(task_id));
  t.truthy(await kept('task-declined-failed-cancelled', taskFlow(task_id)));
  const [row] = await asOwner<{ id: string }>(
    stack,
    "SELECT workflow_id AS id FROM audit_events WHERE action = 'task.refused' LIMIT 1",
  );
  t.is(row, undefined);
  t.is((await from.post('/tasks/route', { target: 'nobody', type: 'x' }, { 'x-trace-id': 'refused' })).status, 422);
  const [refused] = await asOwner<{ id: string }>(
    stack,
    "SELECT workflow_id AS id FROM audit_events WHERE action = 'task.refused'",
  );
  t.truthy(await kept('task-refused', refused?.id ?? ''));
});

test('APPR-3, APPR-6: the life of an approval that is edited, approved and redeemed', async (t) => {
  const [from, manager] = [by('finance-agent'), by('Ines Calder')];
  const action = { tool: 'pay', arguments: { amount: 20_000 } };
  const editable = { type: 'object', properties: { amount: { type: 'number' } } };
  const { approval_id } = await good(
    from.post('/approvals', { subject: 's', approvers: { policy: 'spend' }, action, editable }),
  );
  t.is(
    (await manager.post(`/approvals/${approval_id}/respond`, { decision: 'approve', edits: { to: 'me' } })).status,
    422,
  );
  await good(
    manager.post(`/approvals/${approval_id}/respond`, {
      decision: 'approve',
      edits: { amount: 15_000 },
      comment: 'less',
    }),
  );
  const edited = { tool: 'pay', arguments: { amount: 15_000 } };
  await good(from.post(`/approvals/${approval_id}/redeem`, { action: edited }));
  await ended(approvalFlow(approval_id));
  t.truthy(await kept('approval-edited-and-redeemed', approvalFlow(approval_id)));
});

test('APPR-4: the life of an approval with changes, revision, reminders, escalation and expiry', async (t) => {
  const from = by('finance-agent');
  const approvers = { users: [by('Ines Calder').id] };
  const request = { subject: 's', approvers, due_in: '2s', remind_every: '1s', on_expiry: 'escalate' };
  const { approval_id } = await good(from.post('/approvals', request));
  await good(
    by('Ines Calder').post(`/approvals/${approval_id}/respond`, { decision: 'request_changes', comment: 'why?' }),
  );
  await good(from.post(`/approvals/${approval_id}/revise`, { reason: 'because' }));
  await stack.client.workflow.getHandle(approvalFlow(approval_id)).signal('decision', { decision: 'nonsense' });
  await ended(approvalFlow(approval_id));
  t.is((await from.get(`/approvals/${approval_id}`)).body.status, 'expired');
  t.truthy(await kept('approval-revised-escalated-expired', approvalFlow(approval_id)));
});

test('SESS-1, SESS-4: the life of a session with a pause and a hand-off, and of what carries the pause', async (t) => {
  const [from, to] = [by('finance-agent'), by('hr-agent')];
  const { session_id } = await good(from.post('/sessions', { participants: ['hr'], metadata: { a: 1 } }));
  const event = (name: string) => good(from.put(`/sessions/${session_id}/events`, { event: name, reason: name }));
  await event('activate');
  await good(from.post('/tasks/route', { target: to.id, type: 'x', session_id }));
  await event('pause');
  await event('resume');
  await good(to.post(`/sessions/${session_id}/participants`));
  await good(from.post(`/sessions/${session_id}/handoff`, { to: 'hr', context: { b: 2 } }));
  const completed = await to.put(`/sessions/${session_id}/events`, { event: 'complete' });
  t.is(completed.status, 200, JSON.stringify(completed.body));
  await ended(sessionFlow(session_id));
  t.truthy(await kept('session-paused-and-handed-off', sessionFlow(session_id)));
  const fanouts = stack.client.workflow.list({ query: "WorkflowType = 'fanout'" });
  const ids: string[] = [];
  await eventually(
    async () => {
      ids.length = 0;
      for await (const { workflowId } of fanouts) if (workflowId.includes(session_id)) ids.push(workflowId);
      return ids.length;
    },
    (length) => length === 2,
  );
  for (const id of ids) await ended(id);
  t.truthy(await kept('fanout', ids[0] ?? ''));
});

test('SESS-5, TASK-7: sessions and tasks that continue as new', async (t) => {
  const from = by('finance-agent');
  const actor = { kind: 'agent', id: from.id, role: 'finance', acts_for: null, administrator: false } as const;
  const base = { organisation_id: stack.organisationId, trace_id: 'direct', changes_per_run: 2 };
  const session_id = newId('session');
  const session: SessionStart = {
    ...base,
    session_id,
    creator: actor,
    agent_role: 'finance',
    lead: from.id,
    participants: [],
    task_id: null,
    content: await emptyContent(),
    idle_seconds: 3_600,
  };
  const task_id = newId('task');
  const task: TaskStart = {
    ...base,
    task_id,
    sender: actor,
    sender_role: 'finance',
    target: by('hr-agent').id,
    content: await emptyContent(),
    skills: [],
    priority: 3,
    session_id: null,
    parent_task_id: null,
    respond_seconds: null,
    complete_seconds: null,
    lease_seconds: 300,
    max_attempts: 3,
    checks_result: false,
  };
  const { taskQueue } = stack;
  const flows = { session: sessionFlow(session_id), task: taskFlow(task_id) };
  const sessionRun = await stack.client.workflow.start<SessionWorkflow>(SESSION_WORKFLOW, {
    workflowId: flows.session,
    taskQueue,
    args: [session],
  });
  const taskRun = await stack.client.workflow.start<TaskWorkflow>(TASK_WORKFLOW, {
    workflowId: flows.task,
    taskQueue,
    args: [task],
  });
  await eventually(
    () => from.get(`/sessions/${session_id}`),
    ({ status }) => status === 200,
  );
  await eventually(
    () => from.get(`/tasks/${task_id}`),
    ({ status }) => status === 200,
  );
  for (const event of ['activate', 'pause', 'resume'])
    await good(from.put(`/sessions/${session_id}/events`, { event }));
  const to = by('hr-agent');
  await good(to.post(`/tasks/${task_id}/claim`));
  for (let percent = 0; percent < 4; percent += 1) await good(to.post(`/tasks/${task_id}/progress`, { percent }));
  await sleep(500);
  const firstSession = await kept('session-continued', flows.session, sessionRun.firstExecutionRunId);
  const firstTask = await kept('task-continued', flows.task, taskRun.firstExecutionRunId);
  t.is(count(firstSession, 'WORKFLOW_EXECUTION_CONTINUED_AS_NEW'), 1, 'the session');
  t.is(count(firstTask, 'WORKFLOW_EXECUTION_CONTINUED_AS_NEW'), 1, 'the task');
  await good(to.post(`/tasks/${task_id}/complete`, { result: 1 }));
  await good(from.put(`/sessions/${session_id}/events`, { event: 'complete' }));
  await Promise.all(Object.values(flows).map(ended));
  t.truthy(await kept('session-continued-and-completed', flows.session));
  t.truthy(await kept('task-continued-and-completed', flows.task));
});

test('DIR-5: a run of a recipe, by hand and by a schedule, and the task that tells it its end', async (t) => {
  t.timeout(60_000);
  const agent = by('analyst-agent');
  const runFlow = (id: string): string => recipeRunWorkflowId(stack.organisationId, id);
  const carryOut = async (taskId: string): Promise<void> => {
    await good(agent.post(`/tasks/${taskId}/claim`));
    await good(agent.post(`/tasks/${taskId}/complete`, { result: { summary: 's', figures: [], out_of_range: [] } }));
  };
  const { run_id, task_id } = await good(agent.post('/recipes/analyst/daily-kpi/run'));
  await carryOut(task_id);
  await ended(runFlow(String(run_id)));
  const events = await kept('recipe-completed', runFlow(String(run_id)));
  t.true(events.length <= 40, String(events.length));
  await kept('task-of-a-recipe', taskFlow(task_id));

  const trigger = `recipe-trigger-${newId('run')}`;
  const which = { organisation_id: stack.organisationId, role: 'analyst', recipe: 'daily-kpi' } as const;
  await stack.client.workflow.start<RecipeTriggerWorkflow>(RECIPE_TRIGGER_WORKFLOW, {
    workflowId: trigger,
    taskQueue: stack.taskQueue,
    args: [which],
  });
  const [next] = await eventually(
    async () => (await agent.get<Body[]>('/tasks?status=pending&target=analyst')).body,
    (tasks) => tasks.length > 0,
  );
  await carryOut(next?.task_id ?? '');
  await ended(trigger);
  await kept('recipe-triggered', trigger);

  const failing = await good(agent.post('/recipes/analyst/time-study/run'));
  await stack.client.workflow.getHandle(runFlow(String(failing['run_id']))).cancel();
  await eventually(
    async () => (await agent.get(`/recipe-runs/${String(failing['run_id'])}`)).body.status,
    (status) => status === 'cancelled',
  );
  await kept('recipe-cancelled', runFlow(String(failing['run_id'])));
});

test('TASK-3, X-8: a delivery, and the upkeep that starts what was left behind', async (t) => {
  const to = by('legal-agent');
  await good(to.post('/channels', { url: 'http://127.0.0.1:9/nowhere', topics: ['notifications'] }));
  await good(by('finance-agent').post('/notifications', { target: to.id, message: 'm' }));
  const [delivery] = await asOwner<{ organisation_id: string; id: string }>(
    stack,
    "UPDATE deliveries SET attempts = 0, updated_at = now() - interval '1 hour' RETURNING organisation_id, id",
  );
  const flow = deliveryWorkflowId({
    organisation_id: delivery?.organisation_id ?? '',
    delivery_id: delivery?.id ?? '',
  });
  const workflowId = `reconcile-test-${stack.taskQueue}`;
  await stack.client.workflow.execute(RECONCILE_WORKFLOW, { workflowId, taskQueue: stack.taskQueue });
  t.truthy(await kept('reconcile', workflowId));
  await good(to.delete(`/channels/${(await to.get<{ channels: Body[] }>('/channels')).body.channels[0]?.id ?? ''}`));
  await ended(flow);
  t.truthy(await kept('delivery', flow));
});

test('DIR-1, OPS-3: open work of somebody who leaves moves, and of an agent that falls silent', async (t) => {
  t.timeout(60_000);
  const [admin, gone, manager] = [by('Helena Voss'), by('Priya Lindqvist'), by('Tobias Renn')];
  const send = async (target: string): Promise<string> =>
    (await good(admin.post('/tasks/route', { target, type: 'x' }))).task_id;
  const taskIs = (id: string, ready: (task: Body) => boolean): Promise<Body> =>
    eventually(async () => (await admin.get(`/tasks/${id}`)).body, ready);
  const [held, named] = [await send('finance'), await send(gone.id)];
  await good(gone.post(`/tasks/${held}/claim`));
  const asked = { subject: 's', approvers: { users: [gone.id] } };
  const { approval_id } = await good(by('hr-agent').post('/approvals', asked));
  t.is((await rest(stack.apiUrl, admin.key, 'DELETE', `/scim/v2/Users/${gone.id}`)).status, 204);
  await taskIs(held, ({ assignee }) => assignee === null);
  await taskIs(named, ({ assignee }) => assignee === manager.id);
  await eventually(
    async () => (await admin.get(`/approvals/${approval_id}`)).body.waiting_for,
    ([waiting]) => waiting === manager.id,
  );
  const change = directoryChangeWorkflowId(stack.organisationId);
  await ended(change);
  t.truthy(await kept('directory-change', change));
  await good(manager.post(`/tasks/${named}/claim`));
  await good(manager.post(`/tasks/${named}/complete`, { result: 1 }));
  await good(manager.post(`/approvals/${approval_id}/respond`, { decision: 'approve' }));
  await good(by('Owen Tashiro').post(`/tasks/${held}/claim`));
  await good(by('Owen Tashiro').post(`/tasks/${held}/complete`, { result: 1 }));
  for (const [name, flow] of [
    ['task-reassigned-to-queue', taskFlow(held)],
    ['task-reassigned-to-manager', taskFlow(named)],
    ['approval-approver-replaced', approvalFlow(approval_id)],
  ] as const) {
    await ended(flow);
    t.is(count(await kept(name, flow), 'WORKFLOW_EXECUTION_SIGNALED'), 1, name);
  }

  const silent = await addAgent(stack, 'marketing');
  await good(silent.post('/agents/me/heartbeat'));
  const task = await send('marketing');
  await good(silent.post(`/tasks/${task}/claim`));
  await asOwner(stack, "UPDATE agents SET last_seen_at = now() - interval '5 minutes' WHERE id = $1", [silent.id]);
  const sweep = `directory-sweep-test-${stack.taskQueue}`;
  const { started } = await stack.client.workflow.execute<DirectorySweepWorkflow>(DIRECTORY_SWEEP_WORKFLOW, {
    workflowId: sweep,
    taskQueue: stack.taskQueue,
  });
  t.is(started, 1);
  await taskIs(task, ({ assignee }) => assignee === null);
  t.is(count(await kept('directory-sweep', sweep), 'START_CHILD_WORKFLOW_EXECUTION_INITIATED'), 1);
  await good(admin.post(`/tasks/${task}/cancel`));
  await ended(taskFlow(task));
  await kept('task-reassigned-from-silent', taskFlow(task));
});

test('TASK-4, OPS-3: the end of a task with very many children goes through a workflow of its own, in lots', async (t) => {
  t.timeout(120_000);
  const from = by('legal-agent');
  const { task_id } = await good(from.post('/tasks/route', { target: 'support', type: 'x' }));
  const child = { target: 'support', type: 'x', parent_task_id: task_id };
  const children: string[] = [];
  for (let lot = 0; lot < 11; lot += 1)
    children.push(
      ...(await Promise.all(Array.from({ length: 10 }, () => good(from.post('/tasks/route', child))))).map(
        (one) => one.task_id,
      ),
    );
  await good(from.post(`/tasks/${task_id}/cancel`));
  await ended(taskFlow(task_id));
  const events = await kept('task-cancelled-by-fanout', taskFlow(task_id));
  t.is(count(events, 'START_CHILD_WORKFLOW_EXECUTION_INITIATED'), 1);
  t.is(count(events, 'SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED'), 0);
  const [fanout] = await eventually(
    async () => {
      const ids: string[] = [];
      for await (const { workflowId } of stack.client.workflow.list({ query: "WorkflowType = 'fanout'" }))
        if (workflowId.includes(task_id)) ids.push(workflowId);
      return ids;
    },
    (ids) => ids.length === 1,
  );
  await Promise.all([fanout ?? '', ...children.map(taskFlow)].map(ended));
  const lots = await kept('fanout-in-lots', fanout ?? '');
  t.is(count(lots, 'SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED'), children.length);
  t.true(count(lots, 'TIMER_FIRED') >= 2, 'it takes breath between lots');
});
