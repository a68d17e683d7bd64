import test from 'ava';

import { actorOf } from '../../../contracts/actor.ts';
import {
  SESSION_WORKFLOW,
  sessionChangeUpdate,
  sessionQuery,
  sessionWorkflowId,
} from '../../../contracts/session-workflow.ts';
import type { SessionStart, SessionWorkflow } from '../../../contracts/session-workflow.ts';
import { SESSION_TRANSITIONS, SessionEvent } from '../../../contracts/sessions.ts';
import type { SessionStatus } from '../../../contracts/sessions.ts';
import { newId } from '../../../platform/ids.ts';
import { callerOf } from '../../support/caller.ts';
import type { Body, Caller } from '../../support/caller.ts';
import { eventually } from '../../support/rest.ts';
import { addAgent } from '../../support/scene.ts';
import { startStack } from '../../support/stack.ts';
import type { TestStack } from '../../support/stack.ts';

let stack: TestStack;
test.before(async (t) => {
  t.timeout(180_000);
  stack = await startStack();
});
test.after.always(() => stack.close());

const by = (name: string): Caller => callerOf(stack, name);
const sleep = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds));
async function opened(from: Caller, fields: Record<string, unknown> = {}): Promise<string> {
  const { status, body } = await from.post('/sessions', fields);
  if (status !== 201) throw new Error(`${String(status)} ${JSON.stringify(body)}`);
  return body.session_id;
}
const send = (who: Caller, id: string, event: string, reason?: string) =>
  who.put(`/sessions/${id}/events`, { event, ...(reason !== undefined && { reason }) });
const read = async (who: Caller, id: string): Promise<Body> => (await who.get(`/sessions/${id}`)).body;
async function task(from: Caller, target: string, fields: Record<string, unknown> = {}): Promise<string> {
  const { status, body } = await from.post('/tasks/route', { target, type: 'work', ...fields });
  if (status !== 202) throw new Error(`${String(status)} ${JSON.stringify(body)}`);
  return body.task_id;
}
const taskOf = async (who: Caller, id: string): Promise<Body> => (await who.get(`/tasks/${id}`)).body;
const untilTask = (who: Caller, id: string, good: (one: Body) => boolean): Promise<Body> =>
  eventually(() => taskOf(who, id), good);

// How to get a new session into each state.
const WAY: Readonly<Record<Exclude<SessionStatus, 'expired'>, readonly string[]>> = {
  pending: [],
  active: ['activate'],
  paused: ['activate', 'pause'],
  completed: ['activate', 'complete'],
  failed: ['fail'],
  cancelled: ['cancel'],
};

for (const [state, way] of Object.entries(WAY) as [SessionStatus, readonly string[]][])
  test(`SESS-1: ${state} takes its events and refuses all others with what it allows`, async (t) => {
    const from = by('finance-agent');
    const allowed = Object.keys(SESSION_TRANSITIONS[state]);
    for (const event of SessionEvent.options) {
      const id = await opened(from);
      for (const step of way) t.is((await send(from, id, step)).status, 200);
      const answer = await send(from, id, event, 'because');
      const next = SESSION_TRANSITIONS[state][event];
      if (next === undefined) {
        t.is(answer.status, 409, `${event}: ${JSON.stringify(answer.body)}`);
        t.like(answer.body, { code: 'illegal_transition', state });
        t.deepEqual([...answer.body.allowed].sort(), [...allowed].sort());
        t.is((await read(from, id)).status, state);
      } else {
        t.like(answer.body, { status: next, state: next, reason: 'because' });
        t.like(await read(from, id), { status: next });
      }
    }
  });

test('SESS-1, COMPAT-2: sessions are opened and listed as older clients do', async (t) => {
  const from = await addAgent(stack, 'support');
  const { status, body } = await from.post('/sessions', { agent_role: 'support', metadata: { ticket: 7 } });
  t.is(status, 201);
  t.like(body, { status: 'pending', agent_role: 'support', role: 'support', metadata: { ticket: 7 } });
  for (let at = 0; at < 4; at += 1) await opened(from, { title: `s${String(at)}` });
  const page = await from.get('/sessions?page=2&page_size=2');
  t.like(page.body, { page: 2, page_size: 2, total: 5 });
  t.deepEqual(
    page.body.sessions.map((one) => one['title']),
    ['s1', 's0'],
  );
  const seen: string[] = [];
  let cursor: string | null = '';
  while (cursor !== null) {
    const next: Body = (await from.get(`/sessions?page_size=2${cursor === '' ? '' : `&cursor=${cursor}`}`)).body;
    seen.push(...next.sessions.map((one) => one.id));
    cursor = next.next_cursor;
  }
  t.is(new Set(seen).size, 5);
  t.is((await from.get('/sessions?status=paused')).body.sessions.length, 0);
  t.is((await send(from, body.session_id, 'ACTIVATE')).body.status, 'active', 'upper case of older clients');
});

test('SESS-2: participants join, the lead adds and hands off with context', async (t) => {
  const [lead, other, stranger] = [by('finance-agent'), by('legal-agent'), by('developer-agent')];
  const id = await opened(lead, { participants: ['legal'], title: 'deal' });
  t.is((await stranger.get(`/sessions/${id}`)).status, 404);
  t.is((await stranger.post(`/sessions/${id}/participants`)).status, 404);
  t.true(((await other.post(`/sessions/${id}/participants`)).body['participants'] as string[]).includes(other.id));
  t.is(
    (await other.post(`/sessions/${id}/participants`, { participant: 'developer' })).status,
    403,
    'only the lead adds',
  );
  t.is((await other.post(`/sessions/${id}/handoff`, { to: 'legal' })).status, 403, 'only the lead hands off');
  t.is((await lead.post(`/sessions/${id}/participants`, { participant: 'developer' })).status, 200);
  t.is((await stranger.get(`/sessions/${id}`)).status, 200);
  const handed = await lead.post(`/sessions/${id}/handoff`, { to: other.id, context: { next: 'review' } });
  t.like(handed.body, { lead: other.id, agent_role: 'legal', handoff: { next: 'review' } });
  t.is((await lead.post(`/sessions/${id}/handoff`, { to: 'hr' })).status, 403, 'the lead is another now');
  t.truthy((await other.get('/notifications')).body.notifications.find((note) => note['subject_id'] === id));
  const nobody = lead.id.replace(/.{4}$/, '0000');
  t.is((await other.post(`/sessions/${id}/handoff`, { to: nobody })).status, 422);
  t.is((await lead.post('/sessions', { participants: [nobody] })).status, 422);
});

test('SESS-2: joins of ten at once are all kept', async (t) => {
  const lead = by('finance-agent');
  const id = await opened(lead);
  const agents = await Promise.all(Array.from({ length: 10 }, () => addAgent(stack, 'analyst')));
  const answers = await Promise.all(
    agents.map((agent) => lead.post(`/sessions/${id}/participants`, { participant: agent.id })),
  );
  t.true(answers.every(({ status }) => status === 200));
  const participants = (await read(lead, id))['participants'] as string[];
  for (const agent of agents) t.true(participants.includes(agent.id));
});

test('SESS-2: the session counts its tasks and approvals by status', async (t) => {
  const from = by('finance-agent');
  const session_id = await opened(from, { participants: ['hr'] });
  const done = await task(from, by('hr-agent').id, { session_id });
  await task(from, 'hr', { session_id });
  await by('hr-agent').post(`/tasks/${done}/claim`);
  await by('hr-agent').post(`/tasks/${done}/complete`, {});
  await from.post('/approvals', { session_id, approver_role: 'manager' });
  t.like(await read(from, session_id), { tasks: { completed: 1, pending: 1 }, approvals: { pending: 1 } });
  t.is((await by('legal-agent').post('/tasks/route', { target: 'hr', type: 'x', session_id })).status, 404);
  await send(from, session_id, 'cancel');
  const late = await from.post('/tasks/route', { target: 'hr', type: 'x', session_id });
  t.is(late.status, 409, JSON.stringify(late.body));
  await eventually(
    async () => (await from.get<{ tasks: Record<string, number> }>(`/sessions/${session_id}`)).body.tasks,
    (tasks) => tasks['cancelled'] === 1,
  );
});

test('SESS-3: shards are versioned: If-Match, ETag, one of two writers wins', async (t) => {
  const from = by('finance-agent');
  const id = await opened(from, { participants: ['legal'] });
  const path = `/sessions/${id}/shards/findings`;
  t.is((await from.get(path)).status, 404);
  const first = await from.put(path, { content: { a: 1 } });
  t.is(first.status, 200, JSON.stringify(first.body));
  t.is(first.headers.get('etag'), '"1"');
  const stale = await from.put(path, { content: { a: 2 } });
  t.is(stale.status, 412);
  t.like(stale.body, { code: 'precondition_failed', version: 1 });
  const second = await by('legal-agent').put(path, { content: { a: 2 } }, { 'if-match': '"1"' });
  t.is(second.headers.get('etag'), '"2"');
  t.is((await from.put(path, { content: 0 }, { 'if-match': '"1"' })).status, 412);
  t.is((await from.put(path, { content: 0 }, { 'if-match': 'x' })).status, 400);
  t.is((await from.put(`${path}-2`, { content: 0 }, { 'if-match': '"1"' })).status, 412);
  const race = await Promise.all([3, 4, 5, 6].map((a) => from.put(path, { content: { a } }, { 'if-match': '"2"' })));
  t.deepEqual(race.map(({ status }) => status).sort(), [200, 412, 412, 412]);
  t.is((await from.get(path)).body.version, 3);
  const fresh = await Promise.all([1, 2, 3].map((a) => from.put(`${path}-new`, { content: a })));
  t.deepEqual(fresh.map(({ status }) => status).sort(), [200, 412, 412], JSON.stringify(fresh.map(({ body }) => body)));
  await send(from, id, 'cancel');
  t.is((await from.put(path, { content: 1 }, { 'if-match': '"3"' })).status, 409);
});

test('SESS-3: whoever may not read a shard does not learn that it is there', async (t) => {
  const [from, legal, hr] = [by('finance-agent'), by('legal-agent'), by('hr-agent')];
  const id = await opened(from, { participants: ['legal', 'hr'] });
  const path = `/sessions/${id}/shards/secret`;
  t.is((await from.put(path, { content: { why: 'merger' }, readers: ['finance', 'legal'] })).status, 200);
  t.is((await legal.get(path)).status, 200);
  const hidden = await hr.get(path);
  const absent = await hr.get(`/sessions/${id}/shards/absent`);
  t.deepEqual({ ...hidden.body, trace_id: 0 }, { ...absent.body, detail: hidden.body.detail, trace_id: 0 });
  t.deepEqual((await read(hr, id))['shards'], []);
  t.deepEqual((await read(legal, id))['shards'], ['secret']);
  for (const place of [`/sessions/${id}/timeline`, `/status/${id}`, `/sessions/${id}`, '/sessions'])
    t.false(JSON.stringify((await hr.get(place)).body).includes('secret'), place);
  t.true(JSON.stringify((await legal.get(`/sessions/${id}/timeline`)).body).includes('secret'));
  t.is((await hr.put(path, { content: 1 }, { 'if-match': '"1"' })).status, 412, 'as for a shard that is not there');
  t.is((await by('developer-agent').get(path)).status, 404);
});

test('SESS-3: each reader sees a shard masked to its clearance', async (t) => {
  const [from, hr] = [by('finance-agent'), by('hr-agent')];
  const id = await opened(from, { participants: ['hr'], metadata: { iban: 'DE89370400440532013000' } });
  const content = { iban: 'DE89370400440532013000', mail: 'ann@example.com' };
  await from.put(`/sessions/${id}/shards/x`, { content });
  t.deepEqual((await from.get(`/sessions/${id}/shards/x`)).body['content'], content);
  const seen = (await hr.get(`/sessions/${id}/shards/x`)).body['content'] as Record<string, string>;
  t.is(seen['mail'], content.mail);
  t.not(seen['iban'], content.iban);
  t.false(JSON.stringify(await read(hr, id)).includes(content.iban));
});

test('SESS-4: a pause stops claims and clocks, lets work in flight finish; resuming goes on', async (t) => {
  const [from, to] = [by('finance-agent'), by('hr-agent')];
  const session_id = await opened(from, { participants: ['hr'] });
  await send(from, session_id, 'activate');
  const running = await task(from, to.id, { session_id });
  await to.post(`/tasks/${running}/claim`);
  const waiting = await task(from, to.id, { session_id, sla: { respond_within: '60s', complete_within: '10s' } });
  await send(from, session_id, 'pause');
  await untilTask(from, waiting, (one) => one['paused'] === true);
  const during = await task(from, to.id, { session_id, sla: { respond_within: '30s' } });
  t.is((await taskOf(from, during))['paused'], true);
  for (const id of [waiting, during]) {
    const claim = await to.post(`/tasks/${id}/claim`);
    t.is(claim.status, 409, JSON.stringify(claim.body));
    t.false(claim.body.allowed.includes('claim'));
  }
  t.false((await to.get('/inbox')).body.tasks.some(({ id }) => [waiting, during].includes(id)));
  t.is((await to.post(`/tasks/${running}/complete`, {})).status, 200, 'work in flight finishes');
  await sleep(10_500);
  t.like(await taskOf(from, waiting), { sla_breached: false, respond_by: null, complete_by: null, escalated_to: null });
  await send(from, session_id, 'resume');
  const resumed = await untilTask(from, waiting, (one) => one['paused'] === false);
  t.truthy(resumed['complete_by']);
  await untilTask(from, during, (one) => one['paused'] === false);
  await untilTask(from, waiting, (one) => one['sla_breached'] === true);
  t.is((await to.post(`/tasks/${during}/claim`)).status, 200);
});

test('SESS-4: ending a paused session does not hold its tasks for ever', async (t) => {
  const [from, to] = [by('finance-agent'), by('hr-agent')];
  for (const end of ['complete', 'fail']) {
    const session_id = await opened(from, { participants: ['hr'] });
    await send(from, session_id, 'activate');
    const id = await task(from, to.id, { session_id });
    await send(from, session_id, 'pause');
    await untilTask(from, id, (one) => one['paused'] === true);
    await send(from, session_id, end);
    await sleep(1_000);
    const after = await taskOf(from, id);
    t.true(
      after['paused'] === false || after.status === 'cancelled',
      `${end}: ${after.status}, paused ${String(after['paused'])}`,
    );
  }
});

test('SESS-4: a task that is handed on while it is paused is not held by what it left', async (t) => {
  const administrator = by('Helena Voss');
  const [from, to, next] = [by('finance-agent'), await addAgent(stack, 'marketing'), by('legal-agent')];
  const id = await task(from, to.id);
  t.like((await administrator.put(`/pauses/agent/${to.id}`, { paused: true })).body, {
    paused: true,
    tasks_reached: 1,
  });
  await untilTask(from, id, (one) => one['paused'] === true);
  t.is((await to.post(`/tasks/${id}/handoff`, { target: next.id })).status, 200);
  t.is((await administrator.put(`/pauses/agent/${to.id}`, { paused: false })).status, 200);
  await sleep(500);
  const claim = await next.post(`/tasks/${id}/claim`);
  t.is(claim.status, 200, `held by the pause of an agent that has it no more: ${JSON.stringify(claim.body)}`);
});

test.serial('SESS-4: agents, roles and the organisation are paused by administrators', async (t) => {
  const administrator = by('Helena Voss');
  const from = by('finance-agent');
  t.is((await by('Ines Calder').put('/pauses/role/hr', { paused: true })).status, 403);
  for (const [path, target] of [
    [`/pauses/agent/${by('manager-agent').id}`, by('manager-agent').id],
    ['/pauses/role/manager', 'manager'],
    ['/pauses/organisation/all', by('manager-agent').id],
  ] as const) {
    const before = await task(from, target);
    t.is((await administrator.put(path, { paused: true })).status, 200);
    await untilTask(from, before, (one) => one['paused'] === true);
    const during = await task(from, target);
    t.is((await by('manager-agent').post(`/tasks/${before}/claim`)).status, 409, path);
    t.is((await by('manager-agent').post(`/tasks/${during}/claim`)).status, 409, path);
    t.is((await administrator.put(path, { paused: false })).status, 200);
    for (const id of [before, during]) await untilTask(from, id, (one) => one['paused'] === false);
    t.is((await by('manager-agent').post(`/tasks/${during}/claim`)).status, 200, path);
  }
  t.is((await administrator.put('/pauses/organisation/mine', { paused: true })).status, 404);
  t.is((await administrator.put('/pauses/role/nobody', { paused: true })).status, 422);
});

test.serial('SESS-4: after a pause the queue is offered to those who came online meanwhile', async (t) => {
  const administrator = by('Helena Voss');
  const from = by('finance-agent');
  await administrator.put('/pauses/role/developer', { paused: true });
  const id = await task(from, 'developer');
  t.is((await by('developer-agent').post('/agents/me/heartbeat')).status, 200);
  await administrator.put('/pauses/role/developer', { paused: false });
  const after = await eventually(
    () => taskOf(from, id),
    (one) => one.assignee !== null,
    3_000,
  ).catch(() => undefined);
  t.is(after?.assignee, by('developer-agent').id);
});

/** Starts a session's workflow as the API does, with limits of the test's own. */
async function startDirectly(from: Caller, role: 'finance', limits: Partial<SessionStart>): Promise<string> {
  const session_id = newId('session');
  const content = newId('content');
  await stack.database.inOrganisation(stack.organisationId, (sql) =>
    sql.query(
      "INSERT INTO contents (organisation_id, id, masked) VALUES (current_setting('app.organisation'), $1, '{}')",
      [content],
    ),
  );
  const start: SessionStart = {
    organisation_id: stack.organisationId,
    session_id,
    trace_id: 'direct',
    creator: { kind: 'agent', id: from.id, role, acts_for: null, administrator: false },
    agent_role: role,
    lead: from.id,
    participants: [],
    task_id: null,
    content,
    idle_seconds: 3_600,
    changes_per_run: 500,
    ...limits,
  };
  await stack.client.workflow.start<SessionWorkflow>(SESSION_WORKFLOW, {
    workflowId: sessionWorkflowId(stack.organisationId, session_id),
    taskQueue: stack.taskQueue,
    args: [start],
  });
  await eventually(
    () => from.get(`/sessions/${session_id}`),
    ({ status }) => status === 200,
  );
  return session_id;
}

/** Joins so many agents at once, again where the API asks to come back; tells whose joining was lost. */
async function joinAll(
  lead: Caller,
  session_id: string,
  count: number,
): Promise<{ lost: string[]; statuses: number[] }> {
  const agents = await Promise.all(Array.from({ length: count }, () => addAgent(stack, 'analyst')));
  const statuses: number[] = [];
  await Promise.all(
    agents.map(async (agent, at) => {
      for (let attempt = 0; attempt < 10; attempt += 1) {
        const headers = { 'idempotency-key': `join-${session_id}-${String(at)}` };
        const answer = await lead.post(`/sessions/${session_id}/participants`, { participant: agent.id }, headers);
        statuses.push(answer.status);
        if (answer.status === 200) return;
        await sleep(200);
      }
    }),
  );
  const participants = (await read(lead, session_id))['participants'] as string[];
  return { lost: agents.filter((agent) => !participants.includes(agent.id)).map(({ id }) => id), statuses };
}

test('SESS-5: continuing as new loses no message', async (t) => {
  const lead = by('finance-agent');
  const session_id = await startDirectly(lead, 'finance', { changes_per_run: 3 });
  const { lost, statuses } = await joinAll(lead, session_id, 30);
  t.deepEqual(lost, []);
  t.deepEqual(
    statuses.filter((status) => ![200, 429, 503].includes(status)),
    [],
    JSON.stringify(statuses),
  );
  const handle = stack.client.workflow.getHandle(sessionWorkflowId(stack.organisationId, session_id));
  const { raw } = await handle.describe();
  const first = raw.workflowExecutionInfo?.firstRunId;
  t.not(raw.workflowExecutionInfo?.execution?.runId, first, 'it did continue as new');
  const state = await handle.query(sessionQuery);
  t.is(state.participants.length, 31);
  const { entries } = (await lead.get(`/sessions/${session_id}/timeline?limit=200`)).body;
  t.is(entries.filter((entry) => entry['action'] === 'session.joined').length, 30, 'each change is on record once');
});

test('SESS-5: continuing as new loses no message while deliveries are started', async (t) => {
  const lead = await addAgent(stack, 'finance');
  for (let at = 0; at < 5; at += 1)
    await lead.post('/channels', { url: 'http://127.0.0.1:9/nowhere', topics: ['sessions'] });
  const session_id = await startDirectly(lead, 'finance', { changes_per_run: 1 });
  const { lost, statuses } = await joinAll(lead, session_id, 25);
  t.deepEqual(lost, []);
  t.deepEqual(
    statuses.filter((status) => ![200, 429, 503].includes(status)),
    [],
    JSON.stringify(statuses),
  );
});

test('TASK-7, AUD-1: after a rush the record has each change once, and lists show what the workflow knows', async (t) => {
  const lead = by('finance-agent');
  const session_id = await opened(lead);
  const { lost } = await joinAll(lead, session_id, 30);
  t.deepEqual(lost, []);
  const handle = stack.client.workflow.getHandle(sessionWorkflowId(stack.organisationId, session_id));
  const { participants } = await handle.query(sessionQuery);
  t.deepEqual((await read(lead, session_id))['participants'], participants);
  const { entries } = (await lead.get(`/sessions/${session_id}/timeline?limit=200`)).body;
  t.is(entries.filter((entry) => entry['action'] === 'session.joined').length, 30);
});

test('SESS-5: a session where nothing happens expires; what happens keeps it alive', async (t) => {
  const lead = by('finance-agent');
  const idle = await startDirectly(lead, 'finance', { idle_seconds: 1 });
  await eventually(
    () => read(lead, idle),
    ({ status }) => status === 'expired',
  );
  t.is((await send(lead, idle, 'activate')).status, 409);
  const busy = await startDirectly(lead, 'finance', { idle_seconds: 3 });
  for (let at = 0; at < 5; at += 1) {
    await sleep(1_000);
    t.is((await lead.put(`/sessions/${busy}/shards/s${String(at)}`, { content: at })).status, 200);
  }
  t.is((await read(lead, busy)).status, 'pending');
});

test('SESS-6: the timeline tells everything in order, page by page', async (t) => {
  const [from, to] = [by('finance-agent'), by('hr-agent')];
  const session_id = await opened(from, { participants: ['hr'] });
  await send(from, session_id, 'activate');
  const id = await task(from, to.id, { session_id });
  await to.post(`/tasks/${id}/claim`);
  await from.post('/approvals', { session_id, approver_role: 'manager' });
  await from.put(`/sessions/${session_id}/shards/x`, { content: 1 });
  await from.post('/notifications', { target: session_id, message: 'hello' });
  const expected = [
    'session.opened',
    'session.activated',
    'task.sent',
    'task.claimed',
    'approval.requested',
    'session.shard_written',
    'notification.sent',
  ];
  const seen: unknown[] = [];
  let cursor: string | null = '';
  while (cursor !== null) {
    const page: Body = (
      await to.get(`/sessions/${session_id}/timeline?limit=2${cursor === '' ? '' : `&cursor=${cursor}`}`)
    ).body;
    seen.push(...page.entries.map((entry) => entry['action']));
    cursor = page.next_cursor;
  }
  t.deepEqual(seen, expected);
  t.is((await by('legal-agent').get(`/sessions/${session_id}/timeline`)).status, 404);
});

test('SESS-1: an update sent to the workflow by an operator is checked like any other', async (t) => {
  const from = by('finance-agent');
  const id = await opened(from);
  const handle = stack.client.workflow.getHandle(sessionWorkflowId(stack.organisationId, id));
  const stranger = actorOf({
    organisation_id: stack.organisationId,
    kind: 'agent',
    id: by('hr-agent').id,
    name: '',
    role: 'hr',
    acts_for: null,
    administrator: false,
    clearance: [],
  });
  const change = { type: 'activate', actor: stranger, trace_id: 't', content: null } as const;
  await t.throwsAsync(handle.executeUpdate(sessionChangeUpdate, { args: [change] }));
  await t.throwsAsync(handle.executeUpdate('change', { args: [{ type: 'nonsense' }] }));
  t.is((await send(from, id, 'activate')).status, 200);
});
