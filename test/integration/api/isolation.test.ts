import test from 'ava';
import pg from 'pg';

import { operations } from '../../../contracts/index.ts';
import { callerOf } from '../../support/caller.ts';
import type { Body, Caller } from '../../support/caller.ts';
import { rest } from '../../support/rest.ts';
import { asOwner } from '../../support/scene.ts';
import { startStack } from '../../support/stack.ts';
import type { TestStack } from '../../support/stack.ts';

let stack: TestStack;
/** Things of the own organisation, which the other one tries to reach. */
let things: Record<string, string>;
const by = (name: string): Caller => callerOf(stack, name);
const foreign = (name: string): Caller => callerOf(stack, name, 'other');

test.before(async (t) => {
  t.timeout(180_000);
  stack = await startStack();
  const from = by('finance-agent');
  const person = by('Noor Halvorsen');
  const { task_id } = (await from.post('/tasks/route', { target: 'hr', type: 'x' })).body;
  const { session_id } = (await from.post('/sessions', { title: 's' })).body;
  await from.put(`/sessions/${session_id}/shards/findings`, { content: 1 });
  const { approval_id } = (await from.post('/approvals', { task_id, approver_role: 'manager' })).body;
  const { notification_id } = (await from.post('/notifications', { target: 'manager', message: 'm' })).body;
  const channel = await from.post('/channels', { url: 'https://example.com' });
  const valid_until = new Date(Date.now() + 3_600_000).toISOString();
  const delegation = await person.post('/delegations', { delegate_id: by('Felix Amaro').id, valid_until });
  things = {
    task_id,
    session_id,
    approval_id,
    notification_id,
    channel_id: channel.body.id,
    delegation_id: delegation.body.id,
    name: 'findings',
    user: person.id,
    agent: from.id,
  };
});
test.after.always(() => stack.close());

const BODIES: Readonly<Record<string, Record<string, unknown>>> = {
  fail_task: { reason: 'r' },
  decline_task: { reason: 'r' },
  handoff_task: { target: 'hr' },
  decide_approval: { decision: 'approve' },
  redeem_approval: { action: { tool: 'pay', arguments: {} } },
  update_session: { event: 'activate' },
  handoff_session: { to: 'hr' },
  write_context: { content: 2 },
};

for (const operation of operations.filter(({ path }) =>
  /\{(task|approval|session|notification|channel|delegation)_id\}/.test(path),
))
  for (const name of ['finance-agent', 'Helena Voss'])
    test(`POL-3: ${operation.name} with an id of another organisation finds nothing (${name})`, async (t) => {
      const path = operation.path.replaceAll(/\{(\w+)\}/g, (_, field: string) => things[field] ?? field);
      const { status, body } = await rest<Body>(stack.apiUrl, foreign(name).key, operation.method.toUpperCase(), path, {
        ...(['post', 'put'].includes(operation.method) && { body: BODIES[operation.name] ?? {} }),
      });
      t.is(status, 404, JSON.stringify(body));
      t.is(body.code, 'not_found');
    });

test('POL-3: fetch_status finds nothing of another organisation', async (t) => {
  for (const id of ['task_id', 'session_id', 'approval_id', 'notification_id'])
    t.is((await foreign('Helena Voss').get(`/status/${things[id] ?? ''}`)).status, 404, id);
});

test('POL-3: ids of another organisation inside a body are as if they did not exist', async (t) => {
  const who = foreign('Helena Voss');
  const { task_id, session_id, approval_id, user, agent } = things;
  const valid_until = new Date(Date.now() + 3_600_000).toISOString();
  const own = (await who.post('/tasks/route', { target: who.id, type: 'x' })).body.task_id;
  await who.post(`/tasks/${own}/claim`);
  const session = (await who.post('/sessions', { title: 's' })).body.session_id;
  for (const [path, body, status] of [
    ['/tasks/route', { target: agent, type: 'x' }, 422],
    ['/tasks/route', { target: user, type: 'x' }, 422],
    ['/tasks/route', { target: 'hr', type: 'x', session_id }, 404],
    ['/tasks/route', { target: 'hr', type: 'x', parent_task_id: task_id }, 404],
    [`/tasks/${own}/handoff`, { target: agent }, 422],
    ['/approvals', { task_id, approver_role: 'hr' }, 404],
    ['/approvals', { session_id, approver_role: 'hr' }, 404],
    ['/approvals', { subject: 's', approvers: { users: [user] } }, 422],
    ['/approvals', { subject: 's', approvers: { manager_of: user } }, 422],
    ['/approvals', { approval_id, decision: 'approve' }, 404],
    ['/approvals', { task_id, decision: 'approve' }, 404],
    ['/sessions', { task_id }, 404],
    ['/sessions', { participants: [agent] }, 422],
    [`/sessions/${session}/participants`, { participant: agent }, 422],
    [`/sessions/${session}/handoff`, { to: user }, 422],
    ['/notifications', { target: agent, message: 'm' }, 422],
    ['/notifications', { target: session_id, message: 'm' }, 404],
    ['/notifications', { target: 'hr', message: 'm', task_id }, 404],
    ['/notifications', { target: 'hr', message: 'm', session_id }, 404],
    ['/delegations', { delegate_id: user, valid_until }, 404],
  ] as const) {
    const answer = await who.post(path, body);
    t.is(answer.status, status, `${path} ${JSON.stringify([body, answer.body])}`);
  }
  const shard = await who.put(`/sessions/${session}/shards/x`, { content: 1, readers: [agent] });
  t.is(shard.status, 422);
  const pause = await who.put(`/pauses/agent/${agent ?? ''}`, { paused: true });
  t.true([404, 422].includes(pause.status), JSON.stringify(pause.body));
});

test('X-4: no list shows anything of another organisation', async (t) => {
  const own = Object.values(things).filter((id) => id !== 'findings');
  const everybody = Object.entries(stack.ids).map(([, id]) => id);
  for (const name of ['Helena Voss', 'finance-agent', 'Noor Halvorsen'])
    for (const path of [
      '/tasks',
      '/approvals',
      '/sessions',
      '/notifications',
      '/channels',
      '/delegations',
      '/directory',
      '/inbox',
      '/audit',
      '/me',
    ]) {
      const { body } = await foreign(name).get(path);
      const text = JSON.stringify(body);
      t.deepEqual(
        [...own, ...everybody].filter((id) => text.includes(id)),
        [],
        `${name} ${path}`,
      );
    }
});

test('X-4: every table has row-level security and a policy', async (t) => {
  const tables = await asOwner<{ name: string; secured: boolean; policies: number }>(
    stack,
    `SELECT c.relname AS name, c.relrowsecurity AS secured, (SELECT count(*)::int FROM pg_policy p WHERE p.polrelid = c.oid) AS policies
     FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p') AND c.relname <> 'migrations'`,
  );
  t.true(tables.length >= 19);
  t.deepEqual(
    tables.filter(({ secured, policies }) => !secured || policies === 0),
    [],
  );
});

async function asApplication<T>(work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: stack.databaseUrl });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

test('X-4: without an organisation, or with another one, the application sees no row of any table', async (t) => {
  const tables = await asOwner<{ name: string }>(
    stack,
    "SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'migrations'",
  );
  await asApplication(async (client) => {
    for (const setting of [undefined, '', 'org_nobody', "' OR true --"]) {
      if (setting !== undefined) await client.query("SELECT set_config('app.organisation', $1, false)", [setting]);
      for (const { name } of tables) {
        const { rows } = await client.query<{ count: number }>(`SELECT count(*)::int AS count FROM ${name}`);
        t.is(rows[0]?.count, 0, `${name} with ${String(setting)}`);
      }
    }
    await t.throwsAsync(client.query('SELECT * FROM migrations'), { message: /permission denied/ });
  });
});

test('X-4: nothing can be written for another organisation', async (t) => {
  await asApplication(async (client) => {
    await client.query("SELECT set_config('app.organisation', $1, false)", [stack.organisationId]);
    const insert = "INSERT INTO pauses (organisation_id, scope, id) VALUES ($1, 'role', 'hr')";
    await t.throwsAsync(client.query(insert, [stack.other.organisationId]), { message: /row-level security/ });
    const moved = client.query('UPDATE tasks SET organisation_id = $1', [stack.other.organisationId]);
    await t.throwsAsync(moved, { message: /row-level security/ });
  });
});

test('AUD-1: the application can add to the record, and neither change nor remove from it', async (t) => {
  await asApplication(async (client) => {
    await client.query("SELECT set_config('app.organisation', $1, false)", [stack.organisationId]);
    for (const statement of [
      "UPDATE audit_events SET outcome = 'ok'",
      'DELETE FROM audit_events',
      'TRUNCATE audit_events',
      'ALTER TABLE audit_events DISABLE ROW LEVEL SECURITY',
      'DROP TABLE audit_events',
      'ALTER TABLE tasks DISABLE ROW LEVEL SECURITY',
      'SET ROLE postgres',
    ])
      await t.throwsAsync(client.query(statement), { message: /permission denied|must be owner/ }, statement);
    const { rows } = await client.query<{ count: number }>('SELECT count(*)::int AS count FROM audit_events');
    t.true((rows[0]?.count ?? 0) > 0);
  });
});

test('X-4: row security holds even for the connection that served another organisation just before', async (t) => {
  const callers = [by('Helena Voss'), foreign('Helena Voss')];
  const seen = await Promise.all(
    Array.from({ length: 100 }, async (_, at) => {
      const who = callers[at % 2];
      return (
        (await who?.get('/me'))?.body['organisation_id'] ===
          (at % 2 ? stack.other.organisationId : stack.organisationId) &&
        !JSON.stringify((await who?.get('/directory'))?.body).includes(callers[(at + 1) % 2]?.id ?? '')
      );
    }),
  );
  t.true(seen.every(Boolean));
});
