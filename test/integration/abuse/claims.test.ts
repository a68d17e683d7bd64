import test from 'ava';

import { callerOf } from '../../support/caller.ts';
import type { Body, Caller } from '../../support/caller.ts';
import { eventually } from '../../support/rest.ts';
import { addAgent } from '../../support/scene.ts';
import { startStack } from '../../support/stack.ts';
import type { TestStack } from '../../support/stack.ts';
import { flood, tally } from './flood.ts';

let stack: TestStack;
test.before(async (t) => {
  t.timeout(180_000);
  stack = await startStack({ limits: { claims: 5 } });
});
test.after.always(() => stack.close());

const by = (name: string): Caller => callerOf(stack, name);
async function good(answer: Promise<{ status: number; body: Body }>): Promise<Body> {
  const { status, body } = await answer;
  if (status >= 300) throw new Error(`${String(status)} ${JSON.stringify(body)}`);
  return body;
}
const send = (from: Caller, fields: object): Promise<Body> => good(from.post('/tasks/route', { type: 'x', ...fields }));
const status = (of: Caller, id: string, wanted: string): Promise<Body> =>
  eventually(
    async () => (await of.get(`/tasks/${id}`)).body,
    (task) => task.status === wanted,
    30_000,
  );

test('TASK-3: a task that an idle agent claims again and again goes to another agent of the role, which completes it', async (t) => {
  t.timeout(60_000);
  const sender = by('finance-agent');
  // Never at work, but always there and with the least load: routing alone would choose it for ever.
  const idle = await addAgent(stack, 'support', { capacity: 50 });
  const diligent = await addAgent(stack, 'support', { capacity: 1 });
  for (const agent of [idle, diligent]) await good(agent.post('/agents/me/heartbeat', {}));
  const held = await send(sender, { target: diligent.id });
  await good(diligent.post(`/tasks/${held.task_id}/claim`));
  const { task_id, assignee } = await send(sender, { target: 'support', lease: '1s', max_attempts: 3 });
  t.is(assignee, idle.id);
  await good(diligent.post(`/tasks/${held.task_id}/complete`, { result: {} }));
  await good(idle.post(`/tasks/${task_id}/claim`));
  const back = await eventually(
    async () => (await sender.get(`/tasks/${task_id}`)).body,
    (task) => task.status === 'pending' && task.assignee !== null,
  );
  t.is(back.assignee, diligent.id, 'whoever let the lease run out is asked last');
  await good(diligent.post(`/tasks/${task_id}/claim`, { lease: '1m' }));
  await good(diligent.post(`/tasks/${task_id}/complete`, { result: { done: true } }));
  t.is((await status(sender, task_id, 'completed')).status, 'completed');
});

test('TASK-3: what an agent claims and never works on is parked as stalled: on record, told to the sender, listed, and revived', async (t) => {
  t.timeout(60_000);
  const [sender, idle, admin] = [by('finance-agent'), by('hr-agent'), by('Helena Voss')];
  const tasks = await Promise.all([1, 2, 3].map(() => send(sender, { target: idle.id, lease: '1s', max_attempts: 2 })));
  for (const { task_id } of tasks) {
    for (const next of ['pending', 'stalled']) {
      await good(idle.post(`/tasks/${task_id}/claim`));
      await status(sender, task_id, next);
    }
    const { notifications } = (await sender.get('/notifications')).body;
    t.true(notifications.some(({ title, subject_id }) => title === 'Task stalled' && subject_id === task_id));
    const { events } = (await admin.get(`/audit?subject_id=${task_id}&action=task.stalled`)).body;
    t.is(events.length, 1);
  }
  const listed = (await sender.get<readonly Body[]>('/tasks?status=stalled')).body;
  t.deepEqual(listed.map(({ id }) => id).sort(), tasks.map(({ task_id }) => task_id).sort());
  const [first] = tasks;
  t.is((await good(sender.post(`/tasks/${String(first?.task_id)}/retry`))).status, 'pending');
});

test('TASK-3: an agent holds no more claims at once than allowed, however many it asks for together; an ended one makes room', async (t) => {
  t.timeout(60_000);
  const [sender, greedy] = [by('finance-agent'), by('legal-agent')];
  const tasks = await flood(12, 6, () => send(sender, { target: greedy.id }));
  const claims = await flood(12, 12, (n) => greedy.post(`/tasks/${String(tasks[n]?.task_id)}/claim`));
  t.deepEqual(tally(claims.map(({ status }) => status)), { 200: 5, 409: 7 });
  const refused = claims.find(({ status }) => status === 409);
  t.is(refused?.body.code, 'too_many_claims');
  t.is(refused?.body['most'], 5);
  t.regex(String(refused?.body['advice']), /claim again/);
  const taken = claims.find(({ status }) => status === 200)?.body;
  await good(greedy.post(`/tasks/${String(taken?.id)}/complete`, { result: {} }));
  const waiting = tasks[claims.findIndex(({ status }) => status === 409)];
  t.is((await greedy.post(`/tasks/${String(waiting?.task_id)}/claim`)).status, 200);
});

test('TASK-3, X-2: a claim that was answered is answered again to a caller that can hold no more', async (t) => {
  const [sender, greedy] = [by('finance-agent'), by('marketing-agent')];
  const tasks = await flood(6, 3, () => send(sender, { target: greedy.id }));
  const claim = (n: number) =>
    greedy.post(`/tasks/${String(tasks[n]?.task_id)}/claim`, {}, { 'idempotency-key': `claim-${String(n)}` });
  for (const n of [0, 1, 2, 3, 4]) t.is((await claim(n)).status, 200);
  t.is((await claim(5)).status, 409);
  const again = await claim(0);
  t.is(again.status, 200);
  t.is(again.headers.get('idempotent-replayed'), 'true');
});

test('TASK-3, DIR-4: an online agent is held to the capacity that it told', async (t) => {
  const sender = by('finance-agent');
  const agent = await addAgent(stack, 'developer');
  await good(agent.post('/agents/me/heartbeat', { capacity: 2 }));
  const tasks = await flood(3, 1, () => send(sender, { target: agent.id }));
  const claims = await flood(3, 1, (n) => agent.post(`/tasks/${String(tasks[n]?.task_id)}/claim`));
  t.deepEqual(
    claims.map(({ status }) => status),
    [200, 200, 409],
  );
});
