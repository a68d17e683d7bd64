import test from 'ava';

import { callerOf } from '../../support/caller.ts';
import type { Body, Caller } from '../../support/caller.ts';
import { eventually } from '../../support/rest.ts';
import type { Answer } from '../../support/rest.ts';
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
const NOBODY = 'task_01928f00-0000-7000-8000-00000000dead';

/** Sends a task to somebody and tells its id. */
async function sent(from: Caller, target: string, fields: Record<string, unknown> = {}): Promise<string> {
  const { status, body } = await from.post('/tasks/route', { target, type: 'work', ...fields });
  if (status !== 202) throw new Error(`${String(status)} ${JSON.stringify(body)}`);
  return body.task_id;
}
const read = async (who: Caller, id: string): Promise<Body> => (await who.get(`/tasks/${id}`)).body;
const until = (who: Caller, id: string, good: (task: Body) => boolean, milliseconds = 15_000): Promise<Body> =>
  eventually(() => read(who, id), good, milliseconds);
const actions = async (who: Caller, id: string): Promise<unknown[]> =>
  (await who.get(`/status/${id}`)).body.timeline.map((entry) => entry['action']);

test('TASK-1, COMPAT-2: a task in the flat form is answered in one round trip with what was masked', async (t) => {
  const from = by('finance-agent');
  const { status, body, headers } = await from.post(
    '/tasks/route',
    {
      target: 'hr',
      type: 'payroll',
      title: 'Pay ann@example.com',
      description: 'IBAN DE89370400440532013000, card 4111111111111111',
      payload: { mail: 'ann@example.com', phone: '+49 30 901820' },
      priority: 1,
      context: { why: 'monthly' },
      sla: { respond_within: '1h', complete_within: '1d' },
    },
    { 'x-trace-id': 'trace-1' },
  );
  t.is(status, 202, JSON.stringify(body));
  t.like(body, { status: 'pending', target: 'hr', trace_id: 'trace-1', session_id: null, assignee: null });
  t.is(headers.get('x-trace-id'), 'trace-1');
  t.regex(body.task_id, /^task_[0-9a-f]{8}-[0-9a-f]{4}-7/);
  const masked = Object.fromEntries((body['masked'] as { type: string }[]).map(({ type, ...rest }) => [type, rest]));
  t.deepEqual(masked, {
    email: { count: 2, visible_to_receiver: true },
    phone: { count: 1, visible_to_receiver: true },
    iban: { count: 1, visible_to_receiver: false },
    card: { count: 1, visible_to_receiver: false },
  });
});

test('COMPAT-1, COMPAT-2: the nested form of older clients means the same', async (t) => {
  const from = by('finance-agent');
  const wrapped = {
    target: 'hr',
    task: { task_type: 'budget', description: 'Q3', data: { amount: 5 } },
    context: { a: 1 },
  };
  const { status, body } = await from.post('/tasks/route', wrapped);
  t.is(status, 202);
  t.like(await read(from, body.task_id), {
    task_type: 'budget',
    title: 'budget',
    description: 'Q3',
    data: { amount: 5 },
    context: { a: 1 },
  });
  const loose = await from.post('/api/tasks/route', { target: 'hr', task: { type: 'budget', amount: 7, note: 'n' } });
  t.like(await read(from, loose.body.task_id), { task_type: 'budget', data: { amount: 7, note: 'n' } });
  const both = { target: 'hr', type: 'flat', payload: { a: 1 }, task: { type: 'nested', data: { b: 2 } } };
  t.like(await read(from, await sent(from, 'hr', both)), { task_type: 'flat', data: { a: 1 } });
});

test('TASK-1: a task without a type, to nobody, or with a schema that is none is refused', async (t) => {
  const from = by('finance-agent');
  for (const [fields, status, code] of [
    [{ target: 'hr' }, 400, 'invalid_input'],
    [{ target: 'nobody', type: 'x' }, 422, 'unknown_target'],
    [{ target: NOBODY.replace('task', 'agent'), type: 'x' }, 422, 'unknown_target'],
    [{ target: NOBODY.replace('task', 'user'), type: 'x' }, 422, 'unknown_target'],
    [{ target: 'hr', type: 'x', parent_task_id: NOBODY }, 404, 'not_found'],
    [{ target: 'hr', type: 'x', output_schema: { type: 'nonsense' } }, 400, 'invalid_input'],
    [{ target: 'hr', type: 'x', output_schema: { $ref: 'https://example.com/schema' } }, 400, 'invalid_input'],
  ] as const) {
    const answer = await from.post('/tasks/route', fields);
    t.is(answer.status, status, JSON.stringify([fields, answer.body]));
    t.is(answer.body.code, code);
  }
});

test('TASK-2: a task goes to the named agent or person', async (t) => {
  const from = by('hr-agent');
  const agent = by('legal-agent');
  const person = by('Noor Halvorsen');
  t.is((await from.post('/tasks/route', { target: agent.id, type: 'x' })).body.assignee, agent.id);
  const toPerson = await from.post('/tasks/route', { target: person.id, type: 'x' });
  t.is(toPerson.body.assignee, person.id);
  t.is((await person.post(`/tasks/${toPerson.body.task_id}/claim`)).status, 200);
});

test.serial('TASK-2: a role gets it queued while nobody is online, and the one who comes is given it', async (t) => {
  const from = by('finance-agent');
  const id = await sent(from, 'developer');
  t.is((await read(from, id)).assignee, null);
  const developer = by('developer-agent');
  t.is((await developer.post('/agents/me/heartbeat', { status: 'online' })).status, 200);
  t.is((await until(from, id, ({ assignee }) => assignee !== null)).assignee, developer.id);
  const second = await from.post('/tasks/route', { target: 'developer', type: 'x' });
  t.is(second.body.assignee, developer.id);
  await developer.post('/agents/me/heartbeat', { status: 'offline' });
  t.is((await from.post('/tasks/route', { target: 'developer', type: 'x' })).body.assignee, null);
});

test.serial('TASK-2: skills, load and the session decide who gets it', async (t) => {
  const from = by('finance-agent');
  const [a, b] = [
    await addAgent(stack, 'support', { skills: ['refunds', 'german'] }),
    await addAgent(stack, 'support', { skills: ['refunds'] }),
  ];
  for (const agent of [a, b]) await agent.post('/agents/me/heartbeat');
  const skilled = await from.post('/tasks/route', { target: 'support', type: 'x', skills: ['german'] });
  t.is(skilled.body.assignee, a.id);
  t.is((await from.post('/tasks/route', { target: 'support', type: 'x' })).body.assignee, b.id, 'least loaded');
  t.is((await from.post('/tasks/route', { target: 'support', type: 'x', skills: ['latin'] })).body.assignee, null);
  const session = await from.post('/sessions', { participants: ['support'] });
  const session_id = session.body.session_id;
  const first = await from.post('/tasks/route', { target: 'support', type: 'x', session_id });
  for (let at = 0; at < 3; at += 1) {
    const next = await from.post('/tasks/route', { target: 'support', type: 'x', session_id });
    t.is(next.body.assignee, first.body.assignee, 'sticky for the session');
  }
  for (const agent of [a, b]) await agent.post('/agents/me/heartbeat', { status: 'offline' });
});

test('TASK-4: claim, progress and complete; the sender reads the result', async (t) => {
  const [from, to] = [by('finance-agent'), by('hr-agent')];
  const id = await sent(from, to.id);
  const claimed = await to.post(`/tasks/${id}/claim`, { lease: '10m' });
  t.like(claimed.body, { status: 'active', assignee: to.id });
  t.deepEqual([...claimed.body.allowed].sort(), ['cancel', 'complete', 'fail', 'handoff', 'progress']);
  const lease = Date.parse(String(claimed.body['lease_until'])) - Date.now();
  t.true(lease > 590_000 && lease <= 600_000, String(lease));
  const progress = await to.post(`/tasks/${id}/progress`, { percent: 40, note: 'half way' });
  t.is(progress.status, 200);
  t.is((await read(from, id))['progress'], 40);
  const done = await to.post(`/tasks/${id}/complete`, { result: { answer: 42 } });
  t.like(done.body, { status: 'completed', allowed: [] });
  t.like(await read(from, id), { status: 'completed', result: { answer: 42 }, progress: 100, lease_until: null });
  t.deepEqual(await actions(from, id), ['task.sent', 'task.claimed', 'task.progressed', 'task.completed']);
  const told = await from.get('/notifications');
  t.true(told.body.notifications.some((note) => note['subject_id'] === id && note['title'] === 'Task completed'));
});

test('TASK-4: fail and retry; decline by a named agent and retry', async (t) => {
  const [from, to] = [by('finance-agent'), by('hr-agent')];
  const id = await sent(from, to.id);
  await to.post(`/tasks/${id}/claim`);
  t.is((await to.post(`/tasks/${id}/fail`, { reason: 'no data' })).body.status, 'failed');
  t.like(await read(from, id), { status: 'failed', reason: 'no data' });
  t.is((await from.post(`/tasks/${id}/retry`)).body.status, 'pending');
  t.like(await read(from, id), { status: 'pending', reason: null, attempts: 0, assignee: to.id });
  t.is((await to.post(`/tasks/${id}/decline`, { reason: 'not mine' })).body.status, 'declined');
  t.like(await read(from, id), { status: 'declined', reason: 'not mine' });
  t.is((await from.post(`/tasks/${id}/retry`)).body.status, 'pending');
  t.is((await from.post(`/tasks/${id}/cancel`)).body.status, 'cancelled');
});

test('TASK-4: a role member who declines is not asked again; the task stays with the role', async (t) => {
  const [from, agent, other] = [by('finance-agent'), by('marketing-agent'), await addAgent(stack, 'marketing')];
  await agent.post('/agents/me/heartbeat');
  const id = await sent(from, 'marketing');
  t.is((await read(from, id)).assignee, agent.id);
  t.like((await agent.post(`/tasks/${id}/decline`, { reason: 'busy' })).body, { status: 'pending', assignee: null });
  t.is((await agent.post(`/tasks/${id}/claim`)).status, 403);
  t.is((await other.post(`/tasks/${id}/claim`)).status, 200);
  t.is((await other.post(`/tasks/${id}/complete`, {})).status, 200);
});

test('TASK-4: hand-off to another role or agent carries context', async (t) => {
  const [from, to, next] = [by('finance-agent'), by('hr-agent'), by('legal-agent')];
  const id = await sent(from, to.id, { context: { before: 1 } });
  await to.post(`/tasks/${id}/claim`);
  t.is((await to.post(`/tasks/${id}/handoff`, { target: 'nobody' })).body.code, 'unknown_target');
  t.is((await read(from, id)).status, 'active', 'a hand-off to nobody changes nothing');
  const handed = await to.post(`/tasks/${id}/handoff`, {
    target: next.id,
    context: { found: 2 },
    reason: 'a contract',
  });
  t.like(handed.body, { status: 'pending', assignee: next.id });
  t.is((await to.post(`/tasks/${id}/claim`)).status, 403);
  const claimed = await next.post(`/tasks/${id}/claim`);
  t.like(claimed.body['context'], { before: 1 });
  t.true(JSON.stringify(claimed.body['context']).includes('"found":2'));
  const back = await next.post(`/tasks/${id}/handoff`, { target: 'hr' });
  t.is(back.body.status, 'pending');
  t.like(await read(from, id), { target: 'hr', role: 'hr', status: 'pending' });
});

test('TASK-4: cancel reaches children of children and open approvals', async (t) => {
  const [from, to, sub] = [by('finance-agent'), by('hr-agent'), by('legal-agent')];
  const parent = await sent(from, to.id);
  await to.post(`/tasks/${parent}/claim`);
  const child = await sent(to, sub.id, { parent_task_id: parent });
  await sub.post(`/tasks/${child}/claim`);
  const grandchild = await sent(sub, 'developer', { parent_task_id: child });
  const approval = await to.post('/approvals', { task_id: parent, approver_role: 'manager' });
  t.is(approval.status, 202, JSON.stringify(approval.body));
  t.is(
    (await by('marketing-agent').post('/tasks/route', { target: 'hr', type: 'x', parent_task_id: parent })).status,
    404,
  );
  t.is((await from.post(`/tasks/${parent}/cancel`, { reason: 'over' })).body.status, 'cancelled');
  await until(to, child, ({ status }) => status === 'cancelled');
  await until(sub, grandchild, ({ status }) => status === 'cancelled');
  await eventually(
    async () => (await to.get(`/approvals/${approval.body.approval_id}`)).body.status,
    (status) => status === 'withdrawn',
  );
});

test('TASK-4: nothing is added to a task that has ended', async (t) => {
  const [from, to] = [by('finance-agent'), by('hr-agent')];
  const id = await sent(from, to.id);
  await from.post(`/tasks/${id}/cancel`);
  const child = await from.post('/tasks/route', { target: 'hr', type: 'x', parent_task_id: id });
  t.is(child.status, 409, 'a child of a cancelled task would never be cancelled with it');
  const approval = await from.post('/approvals', { task_id: id, approver_role: 'manager' });
  t.is(approval.status, 409, 'nor an approval');
});

test('TASK-3: a lost lease puts the task back, then parks it as stalled; retry revives it', async (t) => {
  const [from, to] = [by('finance-agent'), by('hr-agent')];
  const id = await sent(from, to.id, { lease: '1s', max_attempts: 2 });
  await to.post(`/tasks/${id}/claim`);
  t.like(await until(from, id, ({ status, assignee }) => status === 'pending' && assignee !== null), {
    attempts: 1,
    assignee: to.id,
  });
  t.is((await to.post(`/tasks/${id}/progress`, {})).status, 409, 'the lease is gone');
  await to.post(`/tasks/${id}/claim`);
  t.like(await until(from, id, ({ status }) => status === 'stalled'), { attempts: 2, lease_until: null });
  t.is((await to.post(`/tasks/${id}/complete`, {})).status, 409);
  t.is((await from.post(`/tasks/${id}/retry`)).body.status, 'pending');
  await to.post(`/tasks/${id}/claim`, { lease: '1h' });
  t.is((await to.post(`/tasks/${id}/complete`, { result: 1 })).body.status, 'completed');
  t.true((await actions(from, id)).includes('task.stalled'));
  t.truthy((await from.get('/notifications')).body.notifications.find((note) => note['title'] === 'Task stalled'));
});

test('TASK-3: a stalled task tells why', async (t) => {
  const [from, to] = [by('finance-agent'), by('hr-agent')];
  const id = await sent(from, to.id, { lease: '1s', max_attempts: 1 });
  await to.post(`/tasks/${id}/claim`);
  const task = await until(from, id, ({ status }) => status === 'stalled');
  t.truthy(task['reason'], 'parked as stalled with the reason');
});

test('TASK-3: progress renews the lease', async (t) => {
  const [from, to] = [by('finance-agent'), by('hr-agent')];
  const id = await sent(from, to.id, { lease: '2s', max_attempts: 1 });
  await to.post(`/tasks/${id}/claim`);
  for (let at = 0; at < 4; at += 1) {
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    t.is((await to.post(`/tasks/${id}/progress`, { percent: at })).status, 200);
  }
  t.is((await to.post(`/tasks/${id}/complete`, {})).status, 200);
});

test('TASK-4: what a state does not allow is refused with the state and what is allowed', async (t) => {
  const [from, to] = [by('finance-agent'), by('hr-agent')];
  const id = await sent(from, to.id);
  const reason = 'r';
  const expectRefusals = async (state: string, allowed: string[], verbs: readonly string[]): Promise<void> => {
    for (const verb of verbs) {
      const who = ['retry', 'cancel'].includes(verb) ? from : to;
      const body = { fail: { reason }, decline: { reason }, handoff: { target: 'hr' } }[verb] ?? {};
      const answer = await who.post(`/tasks/${id}/${verb}`, body);
      t.is(answer.status, 409, `${verb} ${state} ${JSON.stringify(answer.body)}`);
      t.like(answer.body, { code: 'illegal_transition', state });
      t.deepEqual([...answer.body.allowed].sort(), allowed, `${verb} ${state}`);
    }
  };
  await expectRefusals('pending', ['cancel', 'claim', 'decline', 'handoff'], ['progress', 'complete', 'fail', 'retry']);
  await to.post(`/tasks/${id}/claim`);
  await expectRefusals('active', ['cancel', 'complete', 'fail', 'handoff', 'progress'], ['claim', 'decline', 'retry']);
  await to.post(`/tasks/${id}/complete`, {});
  const all = ['claim', 'progress', 'complete', 'fail', 'decline', 'handoff', 'cancel', 'retry'];
  await expectRefusals('completed', [], all);
});

test('TASK-4: only the assignee, the sender or an administrator', async (t) => {
  const [from, to, stranger] = [by('finance-agent'), by('hr-agent'), by('legal-agent')];
  const id = await sent(from, to.id);
  await to.post(`/tasks/${id}/claim`);
  for (const [who, verb, body] of [
    [stranger, 'progress', {}],
    [stranger, 'complete', {}],
    [stranger, 'fail', { reason: 'r' }],
    [stranger, 'handoff', { target: 'hr' }],
    [stranger, 'cancel', {}],
    [from, 'complete', {}],
    [from, 'progress', {}],
    [to, 'cancel', {}],
    [by('Greta Mbeki'), 'complete', {}],
  ] as const) {
    const answer = await who.post(`/tasks/${id}/${verb}`, body);
    t.is(answer.status, 403, `${who.name} ${verb}: ${JSON.stringify(answer.body)}`);
    t.is(answer.body.code, 'forbidden');
  }
  t.is((await stranger.get(`/tasks/${id}`)).status, 404, 'a stranger does not even learn of it');
  t.is((await read(from, id)).status, 'active');
  t.is((await by('Helena Voss').post(`/tasks/${id}/cancel`)).status, 200);
});

test('TASK-4: two agents that claim at once: one gets it', async (t) => {
  const from = by('finance-agent');
  const agents = await Promise.all([1, 2, 3, 4, 5].map(() => addAgent(stack, 'analyst')));
  const id = await sent(from, 'analyst');
  const answers = await Promise.all(agents.map((agent) => agent.post(`/tasks/${id}/claim`)));
  t.deepEqual(
    answers.map(({ status }) => status).sort(),
    [200, 409, 409, 409, 409],
    JSON.stringify(answers.map(({ body }) => body)),
  );
});

test('TASK-4: a result that does not fit is refused and the task stays active', async (t) => {
  const [from, to] = [by('finance-agent'), by('hr-agent')];
  const output_schema = {
    type: 'object',
    required: ['total', 'mail'],
    properties: { total: { type: 'number', minimum: 0 }, mail: { type: 'string', format: 'email' } },
    additionalProperties: false,
  };
  const id = await sent(from, to.id, { output_schema });
  await to.post(`/tasks/${id}/claim`);
  for (const result of [
    null,
    {},
    { total: '5', mail: 'a@example.com' },
    { total: -1, mail: 'a@example.com' },
    { total: 1, mail: 'a@example.com', x: 1 },
  ]) {
    const answer = await to.post(`/tasks/${id}/complete`, { result });
    t.is(answer.status, 422, JSON.stringify(answer.body));
    t.is(answer.body.code, 'output_mismatch');
  }
  t.like(await read(from, id), { status: 'active', result: null });
  const good = await to.post(`/tasks/${id}/complete`, { result: { total: 5, mail: 'a@example.com' } });
  t.is(good.status, 200, `a value that is masked fits all the same: ${JSON.stringify(good.body)}`);
});

test('TASK-5: respond_within reminds, then escalates to the manager; a claim ends it', async (t) => {
  const from = by('finance-agent');
  const person = by('Samir Dunne');
  const manager = by('Greta Mbeki');
  const id = await sent(from, person.id, { sla: { respond_within: '1s' } });
  const task = await until(from, id, (one) => one['escalated_to'] !== null);
  t.is(task['escalated_to'], manager.id);
  const timeline = await actions(from, id);
  t.deepEqual(timeline.slice(0, 3), ['task.sent', 'task.sla_reminded', 'task.sla_escalated']);
  t.truthy((await person.get('/notifications')).body.notifications.find((note) => note['subject_id'] === id));
  t.truthy(
    (await manager.get('/notifications')).body.notifications.find(
      (note) => note['level'] === 'critical' && note['subject_id'] === id,
    ),
  );
  t.is((await manager.get('/tasks?assignee=me')).body instanceof Array, true);
  t.true((await manager.get<Body[]>('/tasks?assignee=me')).body.some((one) => one.id === id));
  t.is((await manager.post(`/tasks/${id}/claim`)).status, 200, 'whom it was escalated to may claim it');
});

test('TASK-5: complete_within marks it as breached and tells both sides, once', async (t) => {
  const [from, to] = [by('finance-agent'), by('hr-agent')];
  const id = await sent(from, to.id, { sla: { complete_within: '1s' } });
  await to.post(`/tasks/${id}/claim`);
  const task = await until(from, id, (one) => one['sla_breached'] === true);
  t.is(task.status, 'active');
  for (const who of [from, to]) {
    const notes = (await who.get('/notifications')).body.notifications;
    t.is(notes.filter((note) => note['subject_id'] === id && note['title'] === 'Task is late').length, 1, who.name);
  }
  t.is((await to.post(`/tasks/${id}/complete`, {})).status, 200);
});

test('TASK-6: each reader sees in clear only what its clearance allows', async (t) => {
  const from = by('finance-agent');
  const values = { mail: 'ann@example.com', iban: 'DE89370400440532013000', ssn: '123-45-6789' };
  const id = await sent(from, 'developer', { payload: values, description: `Write to ${values.mail}` });
  const seen = async (who: Caller): Promise<Record<string, string>> =>
    (await read(who, id))['data'] as Record<string, string>;
  const sender = await seen(from);
  t.is(sender['mail'], values.mail);
  t.is(sender['iban'], values.iban);
  t.not(sender['ssn'], values.ssn, 'finance is not cleared for social security numbers');
  const receiver = await seen(by('developer-agent'));
  for (const [key, value] of Object.entries(values)) t.not(receiver[key], value);
  t.regex(receiver['mail'] ?? '', /^Email-[0-9A-Z]{10}$/);
  const listed = await by('developer-agent').get<Body[]>('/tasks?target=developer');
  t.false(JSON.stringify(listed.body).includes(values.mail));
  const status = await by('developer-agent').get(`/status/${id}`);
  for (const value of Object.values(values)) t.false(JSON.stringify(status.body).includes(value));
});

test('TASK-6: fetch_status takes the id of anything', async (t) => {
  const [from, to] = [by('finance-agent'), by('hr-agent')];
  const id = await sent(from, to.id);
  const { body: session } = await from.post('/sessions', { title: 's' });
  const { body: approval } = await from.post('/approvals', { task_id: id, approver_role: 'manager', reason: 'why' });
  const { body: note } = await from.post('/notifications', { target: 'hr', message: 'm' });
  const task = await from.get(`/status/${id}`);
  t.like(task.body, { kind: 'task', status: 'pending', result: null });
  t.is(task.body.approvals[0]?.id, approval.approval_id);
  t.deepEqual(
    task.body.timeline.map((entry) => entry['action']),
    ['task.sent', 'approval.requested'],
  );
  t.like((await from.get(`/status/${session.session_id}`)).body, { kind: 'session', status: 'pending' });
  t.like((await from.get(`/status/${approval.approval_id}`)).body, { kind: 'approval', status: 'pending' });
  t.like((await from.get(`/status/${note.notification_id}`)).body, { kind: 'notification', status: 'sent' });
  t.is((await from.get(`/status/${NOBODY.replace('task', 'run')}`)).status, 404);
  t.is((await by('legal-agent').get(`/status/${id}`)).status, 404);
});

test('X-3: lists are filtered, sorted and paged by cursor without loss or repetition', async (t) => {
  const from = by('finance-agent');
  const { session_id } = (await from.post('/sessions', { title: 'of lists' })).body;
  const ids: string[] = [];
  for (let at = 0; at < 7; at += 1) ids.push(await sent(from, at % 2 ? 'hr' : 'marketing', { session_id }));
  const pages: string[] = [];
  let next: string | undefined = `/tasks?session_id=${session_id}&limit=3&sort=created`;
  while (next !== undefined) {
    const { body, headers }: Answer<Body[]> = await from.get<Body[]>(next);
    t.true(body.length <= 3);
    pages.push(...body.map((task) => task.id));
    next = /^<([^>]+)>; rel="next"$/.exec(headers.get('link') ?? '')?.[1];
  }
  t.deepEqual(pages, ids);
  const list = async (who: Caller, filter: string): Promise<string[]> =>
    (await who.get<Body[]>(`/tasks?session_id=${session_id}${filter}`)).body.map((task) => task.id);
  t.deepEqual(await list(from, ''), [...ids].reverse());
  t.deepEqual(await list(from, '&target=hr&status=pending&limit=2'), [ids[5], ids[3]]);
  t.deepEqual(await list(from, '&status=completed'), []);
  t.deepEqual(await list(by('legal-agent'), ''), []);
  t.is((await list(by('hr-agent'), '')).length, 3, 'what its role has to do');
  t.is((await list(by('Helena Voss'), '')).length, 7);
});

test('TASK-3: assignee=me shows what is mine, what waits for my role and what is for the person I act for', async (t) => {
  const from = by('finance-agent');
  const person = by('Felix Amaro');
  const agent = await addAgent(stack, 'legal', { actsFor: person.id });
  const mine = await sent(from, agent.id);
  const theirs = await sent(from, person.id);
  const queued = await sent(from, 'legal');
  const foreign = await sent(from, by('Noor Halvorsen').id);
  const ids = (await agent.get<Body[]>('/tasks?assignee=me&limit=200')).body.map((task) => task.id);
  for (const id of [mine, theirs, queued]) t.true(ids.includes(id), id);
  t.false(ids.includes(foreign));
  t.is((await agent.post(`/tasks/${theirs}/claim`)).body.assignee, person.id);
  t.is((await person.post(`/tasks/${theirs}/complete`, {})).status, 200);
  const inbox = await agent.get('/inbox');
  t.true(inbox.body.tasks.some((task) => task.id === queued));
});

test('TASK-4: an operator who cancels the workflow ends the task on the record', async (t) => {
  const [from, to] = [by('finance-agent'), by('hr-agent')];
  const id = await sent(from, to.id);
  await stack.client.workflow.getHandle(`task:${stack.organisationId}:${id}`).cancel();
  await until(from, id, ({ status }) => status === 'cancelled');
  t.is((await to.post(`/tasks/${id}/claim`)).status, 409);
});
