import test from 'ava';

import { callerOf } from '../../support/caller.ts';
import type { Body, Caller } from '../../support/caller.ts';
import type { Answer } from '../../support/rest.ts';
import { asOwner, rowCounts } from '../../support/scene.ts';
import { startStack } from '../../support/stack.ts';
import type { TestStack } from '../../support/stack.ts';

let stack: TestStack;
test.before(async (t) => {
  t.timeout(180_000);
  stack = await startStack();
});
test.after.always(() => stack.close());

const by = (name: string): Caller => callerOf(stack, name);
let keys = 0;
const newKey = (): Record<string, string> => ({ 'idempotency-key': `key-${String((keys += 1))}` });
const times = <T>(count: number, make: () => Promise<T>): Promise<T[]> =>
  Promise.all(Array.from({ length: count }, make));

async function workflowsOf(id: string): Promise<number> {
  const { rows } = {
    rows: await asOwner<{ count: number }>(
      stack,
      'SELECT count(*)::int AS count FROM audit_events WHERE subject_id = $1',
      [id],
    ),
  };
  return rows[0]?.count ?? 0;
}

/** What can be asked for, and the table whose rows count how often it happened. */
const POSTS: Readonly<Record<string, { path: string; body: Record<string, unknown>; table: string; id: string }>> = {
  'a task': { path: '/tasks/route', body: { target: 'hr', type: 'x' }, table: 'tasks', id: 'task_id' },
  'an approval': {
    path: '/approvals',
    body: { approver_role: 'legal', subject: 's' },
    table: 'approvals',
    id: 'approval_id',
  },
  'a session': { path: '/sessions', body: { title: 's' }, table: 'sessions', id: 'session_id' },
  'a notification': {
    path: '/notifications',
    body: { target: 'hr', message: 'm' },
    table: 'notifications',
    id: 'notification_id',
  },
  'a channel': { path: '/channels', body: { url: 'https://example.com/hook' }, table: 'channels', id: 'id' },
  'an event of the record': {
    path: '/audit/ingest',
    body: { source: 's', category: 'c', action: 'a' },
    table: 'audit_events',
    id: 'ids',
  },
};

for (const [what, { path, body, table, id }] of Object.entries(POSTS)) {
  test.serial(`X-2: ${what}: the same key and body give the first answer again, another body is refused`, async (t) => {
    const from = by('finance-agent');
    const headers = newKey();
    const first = await from.post(path, body, headers);
    t.true(first.status < 300, JSON.stringify(first.body));
    t.is(first.headers.get('idempotent-replayed'), null);
    const before = await rowCounts(stack);
    const again = await from.post(path, Object.fromEntries(Object.entries(body).reverse()), headers);
    t.is(again.status, first.status);
    t.deepEqual(again.body, first.body);
    t.is(again.headers.get('idempotent-replayed'), 'true');
    const other = await from.post(path, { ...body, [Object.keys(body).at(-1) ?? '']: 'manager' }, headers);
    t.is(other.status, path === '/channels' ? 400 : 422, JSON.stringify(other.body));
    if (path !== '/channels') t.is(other.body.code, 'idempotency_key_reused');
    t.deepEqual(await rowCounts(stack), before, 'repetitions write nothing');
  });

  test.serial(`X-2: ${what}: ten duplicates at once happen once`, async (t) => {
    const from = by('finance-agent');
    const before = (await rowCounts(stack))[table] ?? 0;
    const headers = newKey();
    const answers: Answer<Body>[] = await times(10, () => from.post(path, body, headers));
    t.deepEqual(
      [...new Set(answers.map(({ status }) => status))],
      [answers[0]?.status],
      JSON.stringify(answers.map(({ body: b }) => b)),
    );
    t.is(
      new Set(answers.map((answer) => JSON.stringify(answer.body[id]))).size,
      1,
      JSON.stringify(answers.map(({ body: b }) => b)),
    );
    // Besides what it is about, an event of the record goes to no other table.
    t.is(((await rowCounts(stack))[table] ?? 0) - before, 1);
  });
}

test('X-2: duplicates at once have one workflow and one line of the record', async (t) => {
  const from = by('finance-agent');
  const headers = newKey();
  const answers = await times(10, () => from.post('/tasks/route', { target: 'hr', type: 'x' }, headers));
  const id = answers[0]?.body.task_id ?? '';
  t.is(await workflowsOf(id), 1);
  const { runId } = await stack.client.workflow.getHandle(`task:${stack.organisationId}:${id}`).describe();
  t.truthy(runId);
});

test('X-2: different callers may use the same key, and so may different operations', async (t) => {
  const headers = newKey();
  const body = { target: 'hr', type: 'x' };
  const [a, b] = [
    await by('finance-agent').post('/tasks/route', body, headers),
    await by('legal-agent').post('/tasks/route', body, headers),
  ];
  t.deepEqual([a.status, b.status], [202, 202]);
  t.not(a.body.task_id, b.body.task_id);
  t.is(b.headers.get('idempotent-replayed'), null);
  const foreign = await callerOf(stack, 'finance-agent', 'other').post('/tasks/route', body, headers);
  t.is(foreign.status, 202);
  t.not(foreign.body.task_id, a.body.task_id);
  t.is((await by('finance-agent').post('/sessions', { title: 's' }, headers)).status, 201);
});

test('X-2: a refusal is repeated as it was, and does not turn into another', async (t) => {
  const from = by('finance-agent');
  for (const [path, body] of [
    ['/tasks/route', { target: 'nobody', type: 'x' }],
    ['/approvals', { subject: 's', approver_role: 'support' }],
    ['/sessions', { participants: [stack.ids['Helena Voss']?.replace(/.{4}$/, '0000')] }],
    ['/notifications', { target: 'nobody', message: 'm' }],
  ] as const) {
    const headers = newKey();
    const first = await from.post(path, body, headers);
    const again = await from.post(path, body, headers);
    t.is(first.status, 422, JSON.stringify(first.body));
    t.deepEqual(
      [again.status, again.body.code],
      [first.status, first.body.code],
      `${path}: ${JSON.stringify(again.body)}`,
    );
  }
});

test('X-2: changes take a key too: claims, decisions, PUT', async (t) => {
  const [from, to] = [by('finance-agent'), by('hr-agent')];
  const { body: task } = await from.post('/tasks/route', { target: to.id, type: 'x' });
  const claim = newKey();
  const claims = await times(5, () => to.post(`/tasks/${task.task_id}/claim`, {}, claim));
  t.deepEqual(
    claims.map(({ status }) => status),
    [200, 200, 200, 200, 200],
    JSON.stringify(claims.map(({ body }) => body)),
  );
  const done = newKey();
  const completions = await times(5, () => to.post(`/tasks/${task.task_id}/complete`, { result: 1 }, done));
  t.deepEqual(
    completions.map(({ status }) => status),
    [200, 200, 200, 200, 200],
    JSON.stringify(completions.map(({ body }) => body)),
  );
  t.is(await workflowsOf(task.task_id), 3);
  t.is((await to.post(`/tasks/${task.task_id}/complete`, { result: 2 }, done)).status, 422);

  const { body: session } = await from.post('/sessions', { title: 's' });
  const activate = newKey();
  const events = await times(5, () =>
    from.put(`/sessions/${session.session_id}/events`, { event: 'activate' }, activate),
  );
  t.deepEqual(
    events.map(({ status }) => status),
    [200, 200, 200, 200, 200],
    JSON.stringify(events.map(({ body }) => body)),
  );
  const shard = newKey();
  const writes = await times(5, () => from.put(`/sessions/${session.session_id}/shards/x`, { content: 1 }, shard));
  t.deepEqual(
    writes.map(({ status }) => status),
    [200, 200, 200, 200, 200],
    JSON.stringify(writes.map(({ body }) => body)),
  );
  const { body: approval } = await from.post('/approvals', { subject: 's', approver_role: 'manager' });
  const decide = newKey();
  const manager = by('Ines Calder');
  const votes = await times(5, () =>
    manager.post(`/approvals/${approval.approval_id}/respond`, { decision: 'approve' }, decide),
  );
  t.deepEqual(
    votes.map(({ status }) => status),
    [200, 200, 200, 200, 200],
  );
  t.is(votes[0]?.body.votes.length, 1);
});

test('X-2: five duplicates of a pause at once are one pause', async (t) => {
  const administrator = by('Helena Voss');
  const pause = newKey();
  const answers = await times(5, () => administrator.put('/pauses/role/analyst', { paused: true }, pause));
  t.deepEqual(
    answers.map(({ status }) => status),
    [200, 200, 200, 200, 200],
    JSON.stringify(answers.map(({ body }) => body)),
  );
});

test('X-2: the key says nothing about rights: a replay is for who made the request', async (t) => {
  const headers = newKey();
  const { body } = await by('finance-agent').post(
    '/tasks/route',
    { target: 'hr', type: 'x', payload: { mail: 'ann@example.com' } },
    headers,
  );
  const stranger = await by('developer-agent').post(
    '/tasks/route',
    { target: 'hr', type: 'x', payload: { mail: 'ann@example.com' } },
    headers,
  );
  t.not(stranger.body.task_id, body.task_id);
});

test('X-2: keys of 1 to 255 visible characters are taken, others refused', async (t) => {
  const from = by('finance-agent');
  const body = { target: 'hr', message: 'm' };
  t.is((await from.post('/notifications', body, { 'idempotency-key': 'k'.repeat(255) })).status, 202);
  for (const key of ['k'.repeat(256), 'a b', ''])
    t.is((await from.post('/notifications', body, { 'idempotency-key': key })).status, 400, JSON.stringify(key));
});

test('X-2: the trace is taken, made where absent, returned and on record', async (t) => {
  const from = by('finance-agent');
  const administrator = by('Helena Voss');
  const body = { target: 'hr', type: 'x' };
  const w3c = '4bf92f3577b34da6a3ce929d0e0e4736';
  for (const [headers, expected] of [
    [{ 'x-trace-id': 'my.trace:1_a-b' }, 'my.trace:1_a-b'],
    [{ traceparent: `00-${w3c}-00f067aa0ba902b7-01` }, w3c],
    [{ 'x-trace-id': 'first', traceparent: `00-${w3c}-00f067aa0ba902b7-01` }, 'first'],
  ] as const) {
    const answer = await from.post('/tasks/route', body, headers);
    t.is(answer.headers.get('x-trace-id'), expected);
    t.is(answer.body.trace_id, expected);
    const { events } = (await administrator.get(`/audit?trace_id=${expected}`)).body;
    t.true(events.some((event) => event['subject_id'] === answer.body.task_id && event['action'] === 'task.sent'));
  }
  for (const traceparent of ['', 'nonsense', `00-${w3c}-short-01`, `00-${'0'.repeat(32)}-00f067aa0ba902b7-01`]) {
    const answer = await from.post('/tasks/route', body, { traceparent });
    t.regex(answer.headers.get('x-trace-id') ?? '', /^[0-9a-f]{32}$/);
    t.not(answer.headers.get('x-trace-id'), '0'.repeat(32), 'a trace id of zeros is invalid in W3C trace context');
  }
});

test('X-2: each change is on record under the trace of its own request', async (t) => {
  const [from, to] = [by('finance-agent'), by('hr-agent')];
  const { body } = await from.post('/tasks/route', { target: to.id, type: 'x' }, { 'x-trace-id': 'trace-send' });
  await to.post(`/tasks/${body.task_id}/claim`, {}, { 'x-trace-id': 'trace-claim' });
  const { timeline } = (await from.get(`/status/${body.task_id}`)).body;
  t.deepEqual(
    timeline.map((entry) => entry['trace_id']),
    ['trace-send', 'trace-claim'],
  );
});
