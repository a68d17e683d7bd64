import test from 'ava';

import { callerOf } from '../../support/caller.ts';
import type { Caller } from '../../support/caller.ts';
import { asOwner } from '../../support/scene.ts';
import { startStack } from '../../support/stack.ts';
import type { TestStack } from '../../support/stack.ts';

let stack: TestStack;
test.before(async (t) => {
  t.timeout(180_000);
  stack = await startStack();
});
test.after.always(() => stack.close());

const by = (name: string): Caller => callerOf(stack, name);
const EVENT = { source: 'erp', category: 'privacy', action: 'export' };

test('AUD-1: each transition leaves one line of the record, one event to the outside and the newest state', async (t) => {
  const [from, to] = [by('finance-agent'), by('hr-agent')];
  const { body } = await from.post('/tasks/route', { target: to.id, type: 'x', payload: { mail: 'ann@example.com' } });
  const id = body.task_id;
  await to.post(`/tasks/${id}/claim`);
  await to.post(`/tasks/${id}/progress`, { percent: 1 });
  await to.post(`/tasks/${id}/handoff`, { target: 'legal' });
  await by('legal-agent').post(`/tasks/${id}/claim`);
  await by('legal-agent').post(`/tasks/${id}/complete`, { result: {} });
  const expected = [
    'task.sent',
    'task.claimed',
    'task.progressed',
    'task.handed_off',
    'task.assigned',
    'task.claimed',
    'task.completed',
  ];
  const lines = await asOwner<{
    action: string;
    sequence: number;
    privacy: unknown;
    policies: string[];
    actor_id: string;
  }>(
    stack,
    'SELECT action, sequence, privacy, policies, actor_id FROM audit_events WHERE subject_id = $1 ORDER BY position',
    [id],
  );
  t.deepEqual(
    lines.map(({ action }) => action),
    expected,
  );
  t.deepEqual(
    lines.map(({ sequence }) => sequence),
    [1, 2, 3, 4, 5, 6, 7],
  );
  t.deepEqual(lines[0]?.privacy, { email: 1 });
  t.deepEqual(lines[0]?.policies, ['organisation-members-send-tasks']);
  t.is(lines[5]?.actor_id, by('legal-agent').id);
  const told = await asOwner<{ type: string }>(
    stack,
    'SELECT type FROM outbox WHERE subject_id = $1 ORDER BY txid, id',
    [id],
  );
  t.deepEqual(
    told.map(({ type }) => type),
    expected,
  );
  const [row] = await asOwner<{ status: string; sequence: number }>(
    stack,
    'SELECT status, sequence FROM tasks WHERE id = $1',
    [id],
  );
  t.deepEqual(row, { status: 'completed', sequence: 7 });
});

test('AUD-1: the record holds no personal value', async (t) => {
  const from = by('finance-agent');
  await from.post('/tasks/route', {
    target: 'hr',
    type: 'x',
    title: 'bob@example.com',
    payload: { 'bob@example.com': 'bob@example.com' },
  });
  await from.post('/audit/ingest', {
    ...EVENT,
    subject: 'bob@example.com',
    content: 'mail bob@example.com',
    metadata: { to: 'bob@example.com' },
  });
  for (const table of ['audit_events', 'outbox', 'contents', 'notifications', 'tasks']) {
    const [row] = await asOwner<{ found: boolean }>(
      stack,
      `SELECT coalesce(bool_or(t::text LIKE '%bob@example.com%'), false) AS found FROM ${table} t`,
    );
    t.false(row?.found, table);
  }
});

test('AUD-2: an event is stored once for its id, one without an id each time', async (t) => {
  const from = by('finance-agent');
  const first = await from.post('/audit/ingest', { ...EVENT, id: 'e1', metadata: { a: 1 } });
  t.is(first.status, 202);
  t.like(first.body, { accepted: 1, duplicates: 0 });
  t.like((await from.post('/audit/ingest', { ...EVENT, id: 'e1' })).body, { accepted: 0, duplicates: 1 });
  t.like(
    (await by('hr-agent').post('/audit/ingest', { ...EVENT, id: 'e1' })).body,
    { accepted: 1 },
    'an id is its reporter’s own',
  );
  t.like((await from.post('/audit/ingest', EVENT)).body, { accepted: 1 });
  t.like((await from.post('/audit/ingest', EVENT)).body, { accepted: 1 });
});

test('AUD-2: a batch is stored as a whole, duplicates within it once', async (t) => {
  const from = by('finance-agent');
  const events = Array.from({ length: 1_000 }, (_, at) => ({ ...EVENT, source: 'batch', id: `b${String(at % 990)}` }));
  const stored = await from.post('/audit/ingest', { events });
  t.is(stored.status, 202, JSON.stringify(stored.body).slice(0, 300));
  t.like(stored.body, { accepted: 990, duplicates: 10 });
  t.like((await from.post('/audit/ingest', { events })).body, { accepted: 0, duplicates: 1_000 });
  t.is((await from.post('/audit/ingest', { events: [...events, EVENT] })).status, 400, '1,001 are too many');
});

test('AUD-2: one bad row: nothing is stored, and the row is named', async (t) => {
  const from = by('finance-agent');
  const count = async () =>
    (await asOwner<{ count: number }>(stack, "SELECT count(*)::int AS count FROM audit_events WHERE source = 'bad'"))[0]
      ?.count;
  for (const bad of [
    { source: 'bad' },
    7,
    null,
    { ...EVENT, unknown: 1 },
    { ...EVENT, timestamp: 'yesterday' },
    { ...EVENT, metadata: [] },
  ]) {
    const events = [{ ...EVENT, source: 'bad' }, { ...EVENT, source: 'bad' }, bad];
    const answer = await from.post('/audit/ingest', { events });
    t.is(answer.status, 422, JSON.stringify(answer.body));
    t.like(answer.body, { code: 'invalid_batch', row: 2 });
    t.true(answer.body.errors[0]?.pointer.startsWith('/events/2'), JSON.stringify(answer.body.errors));
  }
  t.is(await count(), 0);
  t.is((await from.post('/audit/ingest', { ...EVENT, events: [EVENT] })).status, 400);
  t.is((await from.post('/audit/ingest', {})).status, 400);
});

test('AUD-2: only administrators read the record, filtered and paged; refusals are in it', async (t) => {
  const administrator = by('Helena Voss');
  for (const name of ['finance-agent', 'Ines Calder', 'Priya Lindqvist']) {
    const answer = await by(name).get('/audit');
    t.is(answer.status, 403, name);
  }
  const refusals = (await administrator.get(`/audit?action=policy.refused&actor=${by('Priya Lindqvist').id}`)).body
    .events;
  t.like(refusals[0], { outcome: 'denied', details: { action: 'audit:read' } });
  const from = by('legal-agent');
  for (let at = 0; at < 5; at += 1)
    await from.post('/notifications', { target: 'hr', message: 'm' }, { 'x-trace-id': 'paged' });
  const seen: unknown[] = [];
  let cursor: string | null = '';
  while (cursor !== null) {
    const { body }: { body: { events: readonly Record<string, unknown>[]; next_cursor: string | null } } =
      await administrator.get(`/audit?trace_id=paged&limit=2&sort=created${cursor === '' ? '' : `&cursor=${cursor}`}`);
    seen.push(...body.events.map((event) => event['id']));
    cursor = body.next_cursor;
  }
  t.is(new Set(seen).size, 5);
  t.is(seen.length, 5);
  t.is((await callerOf(stack, 'Helena Voss', 'other').get('/audit?trace_id=paged')).body.events.length, 0);
});

test('AUD-1: what workflows refuse is on record too', async (t) => {
  const from = by('finance-agent');
  const answer = await from.post('/tasks/route', { target: 'nobody', type: 'x' }, { 'x-trace-id': 'refused-target' });
  t.is(answer.status, 422);
  const { events } = (await by('Helena Voss').get('/audit?trace_id=refused-target')).body;
  t.like(events[0], { action: 'task.refused', outcome: 'denied' });
});

test('POL-2: the API holds an agent to the tools of its profile', async (t) => {
  const analyst = by('analyst-agent');
  t.is((await analyst.post('/approvals', { subject: 's', approver_role: 'manager' })).status, 403, 'request_approval');
  const { body } = await by('finance-agent').post('/sessions', { participants: ['analyst'] });
  t.is((await analyst.put(`/sessions/${body.session_id}/events`, { event: 'activate' })).status, 403, 'update_session');
});
