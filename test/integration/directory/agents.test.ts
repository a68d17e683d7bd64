import test from 'ava';

import { callerOf, callerWith } from '../../support/caller.ts';
import type { Body, Caller } from '../../support/caller.ts';
import { eventually, rest } from '../../support/rest.ts';
import { startStack } from '../../support/stack.ts';
import type { TestStack } from '../../support/stack.ts';

let stack: TestStack;
const by = (name: string): Caller => callerOf(stack, name);
test.before(async (t) => {
  t.timeout(180_000);
  stack = await startStack();
});
test.after.always(() => stack.close());

interface Agent extends Body {
  readonly key: string;
  readonly name: string;
}
async function register(who: Caller, body: Record<string, unknown>): Promise<Caller> {
  const answer = await who.post<Agent>('/agents', body);
  if (answer.status !== 201) throw new Error(JSON.stringify(answer.body));
  return callerWith(stack.apiUrl, { name: answer.body.name, id: answer.body.id, key: answer.body.key });
}
const names = (agents: readonly Body[]): unknown[] => agents.map(({ name }) => name);

test('DIR-4: an administrator registers an agent; it beats, is found by role and skill, drained and removed', async (t) => {
  const admin = by('Helena Voss');
  const agent = await register(admin, { name: 'scout', role: 'marketing', skills: ['research', 'seo'], capacity: 3 });
  const find = async (query: string): Promise<unknown[]> => names((await admin.get<Body[]>(`/agents?${query}`)).body);
  t.like((await admin.get(`/agents/${agent.id}`)).body, {
    status: 'offline',
    owner: admin.id,
    capacity: 3,
    version: '1.0.0',
  });
  t.is((await agent.post('/agents/me/heartbeat', {})).status, 200);
  t.deepEqual(await find('role=marketing&skill=seo&status=online'), ['scout']);
  t.deepEqual(await find('role=marketing&skill=seo&status=offline'), []);
  t.deepEqual(await find('skill=knitting'), []);

  t.like((await admin.post(`/agents/${agent.id}/drain`)).body, { status: 'draining', drained: true });
  t.is((await agent.post('/agents/me/heartbeat', { status: 'online' })).body.status, 'draining');
  const { task_id } = (await admin.post('/tasks/route', { target: 'marketing', type: 'x', skills: ['seo'] })).body;
  t.is((await admin.get(`/tasks/${task_id}`)).body.assignee, null);
  t.like((await admin.post(`/agents/${agent.id}/drain`, { drain: false })).body, { status: 'online' });
  t.is((await agent.post(`/tasks/${task_id}/claim`)).status, 200);

  t.is((await admin.delete(`/agents/${agent.id}`)).status, 200);
  t.is((await admin.get(`/agents/${agent.id}`)).status, 404);
  await eventually(
    async () => (await admin.get(`/tasks/${task_id}`)).body,
    (task) => task.assignee === null && task.status === 'pending',
  );
  await eventually(
    async () => (await agent.get('/me')).status,
    (status) => status === 401,
  );
});

test('DIR-4: an agent that is drained finishes what it holds, and neither gets nor claims anything new', async (t) => {
  const admin = by('Helena Voss');
  const send = async (target: string): Promise<string> =>
    (await admin.post('/tasks/route', { target, type: 'x', skills: target === 'developer' ? ['drains'] : [] })).body
      .task_id;
  const taskIs = (id: string, ready: (task: Body) => boolean): Promise<Body> =>
    eventually(async () => (await admin.get(`/tasks/${id}`)).body, ready);
  const [agent, other] = [
    await register(admin, { name: 'drained', role: 'developer', skills: ['drains'] }),
    await register(admin, { name: 'stays', role: 'developer', skills: ['drains'] }),
  ];
  await agent.post('/agents/me/heartbeat', {});
  const [begun, offered, named] = [await send('developer'), await send('developer'), await send(agent.id)];
  for (const id of [begun, offered]) await taskIs(id, ({ assignee }) => assignee === agent.id);
  t.is((await agent.post(`/tasks/${begun}/claim`)).status, 200);
  await other.post('/agents/me/heartbeat', {});

  t.is((await admin.post(`/agents/${agent.id}/drain`)).status, 200);
  await taskIs(offered, ({ assignee }) => assignee === other.id);
  const queued = await send('developer');
  t.is((await taskIs(queued, ({ assignee }) => assignee !== null)).assignee, other.id);
  for (const id of [named, offered]) {
    const refused = await agent.post(`/tasks/${id}/claim`);
    t.is(refused.status, 409, JSON.stringify(refused.body));
    t.like(refused.body, { code: 'illegal_transition', state: 'draining' });
    t.regex(refused.body.detail, /being drained: finish what you hold/);
  }
  const direct = await admin.post('/tasks/route', { target: agent.id, type: 'x' });
  t.is(direct.status, 409, JSON.stringify(direct.body));
  t.regex(direct.body.detail, /is being drained and takes no new work; send it to developer/);
  t.is((await other.post(`/tasks/${queued}/claim`)).status, 200);
  t.is((await other.post(`/tasks/${queued}/handoff`, { target: agent.id })).status, 409);
  t.like(await taskIs(queued, () => true), { status: 'active', assignee: other.id });
  // A sign of life changes nothing about it.
  t.is((await agent.post('/agents/me/heartbeat', { status: 'online' })).body.status, 'draining');
  t.is((await agent.post(`/tasks/${named}/claim`)).status, 409);

  t.is((await agent.post(`/tasks/${begun}/progress`, { percent: 50 })).status, 200);
  t.is((await agent.post(`/tasks/${begun}/complete`, { result: 1 })).status, 200);
  t.is((await taskIs(named, () => true)).assignee, agent.id, 'what was meant for it alone waits for it');
  t.is((await admin.post(`/agents/${agent.id}/drain`, { drain: false })).status, 200);
  t.is((await agent.post(`/tasks/${named}/claim`)).status, 200);
});

test('DIR-4: an agent that is let work again is offered what waited meanwhile', async (t) => {
  const admin = by('Helena Voss');
  const agent = await register(admin, { name: 'back-again', role: 'analyst', skills: ['alone'] });
  await agent.post('/agents/me/heartbeat', {});
  await admin.post(`/agents/${agent.id}/drain`);
  const { task_id } = (await admin.post('/tasks/route', { target: 'analyst', type: 'x', skills: ['alone'] })).body;
  await agent.post('/agents/me/heartbeat', {});
  t.is((await admin.get(`/tasks/${task_id}`)).body.assignee, null);
  await admin.post(`/agents/${agent.id}/drain`, { drain: false });
  await eventually(
    async () => (await admin.get(`/tasks/${task_id}`)).body.assignee,
    (assignee) => assignee === agent.id,
  );
  t.pass();
});

test('DIR-4: people register agents that act for themselves, and only those', async (t) => {
  const felix = by('Felix Amaro');
  const agent = await register(felix, { name: 'felix-helper' });
  t.like((await felix.get(`/agents/${agent.id}`)).body, { acts_for: felix.id, owner: felix.id, role: 'legal' });
  t.like((await agent.get('/me')).body, { role: 'legal', acts_for: felix.id, administrator: false });
  const other = by('Noor Halvorsen');
  t.is((await felix.post('/agents', { name: 'spy', acts_for: other.id })).status, 403);
  t.is((await other.delete(`/agents/${agent.id}`)).status, 403);
  t.is((await by('finance-agent').post('/agents', { name: 'clone' })).status, 403);
  t.is((await felix.post('/agents', { name: 'felix-helper' })).body.code, 'directory_conflict');
  const changed = await felix.put<Record<string, unknown>>(`/agents/${agent.id}`, { version: '2.0.0', capacity: 4 });
  t.like(changed.body, { version: '2.0.0', capacity: 4 });
  t.is((await felix.post(`/agents/${agent.id}/drain`)).status, 200);
});

test('POL-3: agents of another organisation are not there', async (t) => {
  const foreign = callerOf(stack, 'Helena Voss', 'other');
  const { id } = by('legal-agent');
  t.is((await foreign.get(`/agents/${id}`)).status, 404);
  t.is((await foreign.put(`/agents/${id}`, { version: '9.9.9' })).status, 404);
  t.is((await foreign.post(`/agents/${id}/drain`)).status, 404);
  t.is((await foreign.delete(`/agents/${id}`)).status, 404);
  t.is((await foreign.post('/agents', { name: 'x', acts_for: by('Felix Amaro').id })).status, 422);
  const { body } = await foreign.get<Body[]>('/agents?limit=200');
  t.false(body.some((one) => one.id === id));
});

test('COMPAT-3: clients of the hub register, list, change and remove agents under /api', async (t) => {
  const { key } = by('Helena Voss');
  const capability = { name: 'scan', description: 'Scans', inputSchema: { type: 'object' }, outputSchema: {} };
  const made = await rest<Body>(stack.apiUrl, key, 'POST', '/api/agents', {
    body: {
      projectId: 7,
      name: 'security-scanner',
      type: 'SCRIPT',
      entryPath: 'agents/security-scanner/index.ts',
      version: '1.0.0',
      riskLevel: 'AUTO',
      capabilities: [capability],
    },
  });
  t.is(made.status, 201, JSON.stringify(made.body));
  t.like(made.body, { projectId: 7, type: 'SCRIPT', riskLevel: 'AUTO', version: '1.0.0' });
  const list = await rest<Body[]>(stack.apiUrl, key, 'GET', '/api/agents?projectId=7');
  t.deepEqual(names(list.body), ['security-scanner']);
  t.deepEqual(list.body[0]?.['capabilities'], [capability]);
  const changed = await rest<Body>(stack.apiUrl, key, 'PUT', `/api/agents/${made.body.id}`, {
    body: { description: 'Finds secrets', riskLevel: 'APPROVAL_REQUIRED' },
  });
  t.like(changed.body, { description: 'Finds secrets', riskLevel: 'APPROVAL_REQUIRED' });
  t.is((await rest(stack.apiUrl, key, 'DELETE', `/api/agents/${made.body.id}`)).status, 200);
});

test('X-2: an agent is registered once, however often it is asked', async (t) => {
  const admin = by('Helena Voss');
  const headers = { 'idempotency-key': 'register-once' };
  const [first, second] = await Promise.all([
    admin.post<Agent>('/agents', { name: 'once', role: 'hr' }, headers),
    admin.post<Agent>('/agents', { name: 'once', role: 'hr' }, headers),
  ]);
  t.is(first.body.id, second.body.id);
  t.is(first.body.key, second.body.key);
});
