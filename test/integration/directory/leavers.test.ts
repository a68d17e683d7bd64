import test from 'ava';

import { DIRECTORY_SWEEP_WORKFLOW } from '../../../contracts/directory-workflow.ts';
import type { DirectorySweepWorkflow } from '../../../contracts/directory-workflow.ts';
import { callerOf } from '../../support/caller.ts';
import type { Body, Caller } from '../../support/caller.ts';
import { exportedChart, importForm } from '../../support/org-files.ts';
import { eventually, rest } from '../../support/rest.ts';
import { addAgent, asOwner } from '../../support/scene.ts';
import { startStack } from '../../support/stack.ts';
import type { TestStack } from '../../support/stack.ts';

let stack: TestStack;
let admin: Caller;
const by = (name: string): Caller => callerOf(stack, name);
test.before(async (t) => {
  t.timeout(180_000);
  stack = await startStack();
  admin = by('Helena Voss');
});
test.after.always(() => stack.close());

async function good(answer: Promise<{ status: number; body: Body }>): Promise<Body> {
  const { status, body } = await answer;
  if (status >= 300) throw new Error(`${String(status)} ${JSON.stringify(body)}`);
  return body;
}
const send = async (target: string): Promise<string> =>
  (await good(admin.post('/tasks/route', { target, type: 'review', title: 'Look at it' }))).task_id;
const taskIs = (id: string, good: (task: Body) => boolean): Promise<Body> =>
  eventually(async () => (await admin.get(`/tasks/${id}`)).body, good);

test.serial('DIR-1: who leaves loses access, and open work goes to the queue, the manager or the others', async (t) => {
  const [priya, tobias] = [by('Priya Lindqvist'), by('Tobias Renn')];
  const assistant = await addAgent(stack, 'finance', { actsFor: priya.id });
  const claimed = await send('finance');
  await good(priya.post(`/tasks/${claimed}/claim`));
  const named = await send(priya.id);
  const agents = await send('finance');
  await good(assistant.post(`/tasks/${agents}/claim`));
  const requester = by('hr-agent');
  const ask = async (approvers: unknown): Promise<string> =>
    (await good(requester.post('/approvals', { subject: 'Spend', reason: 'May I', approvers }))).approval_id;
  const alone = await ask({ users: [priya.id] });
  const shared = await ask({ roles: ['finance'] });
  const ordered = await ask({ users: [priya.id, tobias.id], rule: 'all' });

  const csv = (await exportedChart(stack, admin.key)).replace(/^5,.*\n/m, '');
  const { status, body } = await importForm(stack.apiUrl, admin.key, csv);
  t.is(status, 201, JSON.stringify(body));
  t.is(body.users_deactivated, 1);

  t.like(await taskIs(claimed, (task) => task.assignee !== priya.id), { status: 'pending', assignee: null });
  t.like(await taskIs(agents, (task) => task.assignee !== assistant.id), { status: 'pending', assignee: null });
  t.like(await taskIs(named, (task) => task.assignee === tobias.id), { status: 'pending', target: tobias.id });
  const approvalIs = (id: string, ready: (approval: Body) => boolean): Promise<Body> =>
    eventually(async () => (await admin.get(`/approvals/${id}`)).body, ready);
  t.deepEqual((await approvalIs(alone, ({ waiting_for }) => !waiting_for.includes(priya.id))).waiting_for, [tobias.id]);
  const rest = (await approvalIs(shared, ({ waiting_for }) => !waiting_for.includes(priya.id))).waiting_for;
  t.deepEqual([...rest].sort(), [tobias.id, by('Owen Tashiro').id].sort());
  const both = await approvalIs(ordered, ({ waiting_for }) => !waiting_for.includes(priya.id));
  t.deepEqual([...both.waiting_for].sort(), [tobias.id, admin.id].sort());
  t.is((await good(tobias.post(`/approvals/${alone}/respond`, { decision: 'approve' }))).status, 'approved');

  for (const gone of [priya, assistant])
    await eventually(
      async () => (await gone.get('/me')).status,
      (code) => code === 401,
    );
  const events = (await admin.get(`/audit?subject_id=${priya.id}`)).body.events;
  t.like(events[0], { action: 'directory.user_deactivated', actor: admin.id, trace_id: events[0]?.['trace_id'] });
  t.false(JSON.stringify(events).includes('Priya'));
  const open = await asOwner(stack, 'SELECT 1 FROM directory_moves WHERE done_at IS NULL');
  t.is(open.length, 0);
});

test.serial('DIR-2: a new role moves the work of the old one, and is told on /stream; nobody chooses it', async (t) => {
  const owen = by('Owen Tashiro');
  const task = await send('finance');
  await good(owen.post(`/tasks/${task}/claim`));
  t.is((await owen.put(`/admin/users/${owen.id}`, { role: 'legal' })).status, 403);
  t.is((await admin.put(`/admin/users/${admin.id}`, { administrator: false })).status, 403);
  t.is((await admin.put(`/admin/users/${admin.id}`, { role: 'finance' })).status, 403);
  t.is((await admin.put(`/admin/users/${owen.id}`, { role: 'chief' })).status, 400);

  const stop = new AbortController();
  const response = await fetch(`${stack.apiUrl}/stream?topics=directory`, {
    headers: { authorization: `Bearer ${owen.key}` },
    signal: stop.signal,
  });
  const heard = (async () => {
    let text = '';
    const decoder = new TextDecoder();
    for await (const chunk of response.body ?? []) {
      text += decoder.decode(chunk as Uint8Array);
      if (text.includes('directory.user_changed')) return text;
    }
    return text;
  })();
  const changed = await good(admin.put(`/admin/users/${owen.id}`, { role: 'legal' }));
  t.like(changed, { role: 'legal', profile: 'legal', status: 'active' });
  t.regex(await heard, /event: directory\ndata: .*"role":"legal"/);
  stop.abort();
  t.like(await taskIs(task, ({ assignee }) => assignee === null), { status: 'pending' });
  await eventually(
    async () => (await owen.get('/me')).body,
    (me) => me['role'] === 'legal',
  );
  t.is((await good(admin.put(`/admin/users/${owen.id}`, { profile: 'manager' })))['profile'], 'manager');
  const { status, body } = await admin.put(`/admin/users/${owen.id}`, { profile: null, version: 1 });
  t.is(status, 409);
  t.is(body.code, 'version_conflict');
});

test.serial('DIR-1: the last administrator can never be removed', async (t) => {
  const csv = (await exportedChart(stack, admin.key)).replace(/^1,.*\n/m, '').replaceAll(/^(\d+),1,/gm, '$1,,');
  const { status, body } = await importForm(stack.apiUrl, admin.key, csv, {
    fields: { confirm_deactivations: 'true' },
  });
  t.is(status, 409, JSON.stringify(body));
  t.is(body.code, 'last_administrator');
  t.is((await admin.get('/me')).status, 200);
});

test.serial('DIR-4: an agent that stops answering is shown offline and loses what it holds', async (t) => {
  const silent = await addAgent(stack, 'support', { capacity: 5 });
  const other = await addAgent(stack, 'support');
  await good(silent.post('/agents/me/heartbeat', {}));
  const task = await send('support');
  await taskIs(task, ({ assignee }) => assignee === silent.id);
  await good(silent.post(`/tasks/${task}/claim`));
  await good(other.post('/agents/me/heartbeat', {}));
  await asOwner(stack, "UPDATE agents SET last_seen_at = now() - interval '5 minutes' WHERE id = $1", [silent.id]);
  await stack.client.workflow.execute<DirectorySweepWorkflow>(DIRECTORY_SWEEP_WORKFLOW, {
    workflowId: 'sweep-test',
    taskQueue: stack.taskQueue,
  });
  t.is((await taskIs(task, ({ assignee }) => assignee === other.id)).status, 'pending');
  const [row] = await asOwner<{ status: string }>(stack, 'SELECT status FROM agents WHERE id = $1', [silent.id]);
  t.is(row?.status, 'offline');
});

test.serial('DIR-1, SESS-1: a session whose lead left stays, and an administrator hands it off', async (t) => {
  const [lead, next] = [by('Felix Amaro'), by('Noor Halvorsen')];
  const { session_id } = await good(lead.post('/sessions', { title: 'Contracts', participants: ['legal'] }));
  const event = (who: Caller, name: string) => who.put(`/sessions/${session_id}/events`, { event: name });
  t.is((await event(lead, 'activate')).status, 200);
  t.is((await rest(stack.apiUrl, admin.key, 'DELETE', `/scim/v2/Users/${lead.id}`)).status, 204);
  await eventually(
    async () => (await lead.get(`/sessions/${session_id}`)).status,
    (status) => status === 401,
  );
  t.like((await admin.get(`/sessions/${session_id}`)).body, { status: 'active', lead: lead.id });
  t.is((await next.post(`/sessions/${session_id}/handoff`, { to: next.id })).status, 403, 'whoever takes part cannot');
  const handed = await admin.post(`/sessions/${session_id}/handoff`, { to: next.id });
  t.is(handed.status, 200, JSON.stringify(handed.body));
  t.like((await admin.get(`/sessions/${session_id}`)).body, { lead: next.id });
  t.is((await event(next, 'complete')).status, 200);
});
