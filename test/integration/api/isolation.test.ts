import test from 'ava';
import pg from 'pg';

import { operations } from '../../../contracts/index.ts';
import { callerOf } from '../../support/caller.ts';
import type { Body, Caller } from '../../support/caller.ts';
import { exportedChart, importForm } from '../../support/org-files.ts';
import { eventually, rest } from '../../support/rest.ts';
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
  const imported = await importForm(
    stack.apiUrl,
    by('Helena Voss').key,
    await exportedChart(stack, by('Helena Voss').key),
  );
  const { run_id } = (await by('analyst-agent').post('/recipes/analyst/daily-kpi/run')).body;
  things = {
    import_id: String(imported.body.import_id),
    run_id: String(run_id),
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

const BODIES: Readonly<Record<string, () => Record<string, unknown>>> = {
  fail_task: () => ({ reason: 'r' }),
  decline_task: () => ({ reason: 'r' }),
  handoff_task: () => ({ target: 'hr' }),
  decide_approval: () => ({ decision: 'approve' }),
  redeem_approval: () => ({ action: { tool: 'pay', arguments: {} } }),
  update_session: () => ({ event: 'activate' }),
  handoff_session: () => ({ to: 'hr' }),
  write_context: () => ({ content: 2 }),
  pause_dispatch: () => ({ paused: true }),
  update_agent: () => ({ version: '9.9.9' }),
  assign_user: () => ({ role: 'legal', administrator: true }),
  assign_profile: () => ({ profile: 'legal' }),
};

/** What names one thing of one organisation, by the step of the path before it. */
const IDS: Readonly<Record<string, string>> = {
  'tasks/{task_id}': 'task_id',
  'approvals/{approval_id}': 'approval_id',
  'sessions/{session_id}': 'session_id',
  'shards/{name}': 'name',
  'notifications/{notification_id}': 'notification_id',
  'channels/{channel_id}': 'channel_id',
  'delegations/{delegation_id}': 'delegation_id',
  'status/{task_id}': 'task_id',
  'receipts/{id}': 'task_id',
  'agents/{id}': 'agent',
  'users/{id}': 'user',
  'users/{user}': 'user',
  'imports/{import_id}': 'import_id',
  'recipe-runs/{run_id}': 'run_id',
  '{scope}/{id}': 'agent',
};
/** What every organisation has under the same name: there the answer must be one's own, not 404. */
const SHARED: Readonly<Record<string, string>> = {
  'profiles/{role}': 'finance',
  'recipes/{role}': 'analyst',
  '{role}/{name}': 'daily-kpi',
  'pauses/{scope}': 'agent',
};
/** Refused before anything is looked up, whichever id it is. */
const ADMINISTRATORS_ONLY = new Set(['/admin', '/audit', '/pauses']);
/** A target that is not there is a fault of the input there. */
const UNPROCESSABLE = new Set(['pause_dispatch']);

interface Step {
  readonly field: string;
  readonly place: string;
}
const stepsOf = (path: string): Step[] =>
  path.split('/').flatMap((step, at, all) => {
    const [, field] = /^\{(\w+)\}$/.exec(step) ?? [];
    return field === undefined ? [] : [{ field, place: `${all[at - 1] ?? ''}/${step}` }];
  });
const namesThing = ({ path }: { path: string }): boolean => stepsOf(path).some(({ place }) => place in IDS);

test('POL-3: every operation with a parameter in its path is known to be covered here', (t) => {
  const places = operations.flatMap(({ path, name }) => stepsOf(path).map(({ place }) => `${place} of ${name}`));
  t.deepEqual(
    places.filter((one) => !Object.keys({ ...IDS, ...SHARED }).some((place) => one.startsWith(`${place} of `))),
    [],
    'add it to IDS where it names one thing of an organisation, to SHARED where every organisation has one of that name',
  );
  t.true(operations.filter(namesThing).length >= 35);
});

for (const operation of operations.filter(namesThing))
  for (const name of ['finance-agent', 'Helena Voss'])
    test(`POL-3: ${operation.name} with an id of another organisation finds nothing (${name})`, async (t) => {
      const pathWith = (thing: (key: string) => string): string => {
        let path: string = operation.path;
        for (const { field, place } of stepsOf(operation.path))
          path = path.replace(`{${field}}`, place in IDS ? thing(IDS[place] ?? '') : (SHARED[place] ?? ''));
        return path;
      };
      const ask = (path: string) =>
        rest<Body>(stack.apiUrl, foreign(name).key, operation.method.toUpperCase(), path, {
          ...(['post', 'put'].includes(operation.method) && { body: BODIES[operation.name]?.() ?? {} }),
        });
      const { status, body } = await ask(pathWith((key) => things[key] ?? key));
      const hidden = name !== 'Helena Voss' && ADMINISTRATORS_ONLY.has(operation.path.replace(/(?<=\w)\/.*/, ''));
      const unprocessable = !hidden && UNPROCESSABLE.has(operation.name);
      t.is(status, hidden ? 403 : unprocessable ? 422 : 404, JSON.stringify(body));
      t.is(body.code, hidden ? 'forbidden' : unprocessable ? 'unknown_target' : 'not_found');
      // An id that never was is answered in the same way, so nobody can tell that it is somewhere else.
      const nowhere = await ask(pathWith((key) => (things[key] ?? key).replace(/[0-9a-f]{12}$/, '0123456789ab')));
      t.deepEqual([nowhere.status, nowhere.body.code], [status, body.code]);
    });

test('POL-3: fetch_status finds nothing of another organisation', async (t) => {
  for (const id of ['task_id', 'session_id', 'approval_id', 'notification_id', 'run_id'])
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
      '/agents',
      '/recipes/analyst/daily-kpi/runs',
      '/admin/users',
      '/admin/org/tree',
      '/admin/org/export',
      '/admin/org/imports',
      '/admin/profiles/hr/versions',
      '/policy/organisation',
      '/scim/v2/Users?count=200',
      '/scim/v2/Groups',
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

const SCIM_USER = 'urn:ietf:params:scim:schemas:core:2.0:User';
const SCIM_ENTERPRISE = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User';
const SCIM_PATCH = 'urn:ietf:params:scim:api:messages:2.0:PatchOp';

test('POL-3: SCIM: people of another organisation are not there, as users, as members and as managers', async (t) => {
  const { user } = things;
  const admin = foreign('Helena Voss');
  const scim = (method: string, path: string, body?: unknown) =>
    rest<Body>(stack.apiUrl, admin.key, method, `/scim/v2${path}`, {
      ...(body !== undefined && { body }),
      headers: { 'content-type': 'application/scim+json' },
    });
  const member = { path: 'members', value: [{ value: user }] };
  const patch = (...Operations: object[]) => ({ schemas: [SCIM_PATCH], Operations });
  const newcomer = {
    schemas: [SCIM_USER, SCIM_ENTERPRISE],
    userName: 'newcomer@other.example',
    name: { formatted: 'New Comer' },
  };
  for (const [method, path, body] of [
    ['GET', `/Users/${String(user)}`, undefined],
    ['PUT', `/Users/${String(user)}`, { ...newcomer, active: false }],
    ['PATCH', `/Users/${String(user)}`, patch({ op: 'replace', path: 'active', value: false })],
    ['DELETE', `/Users/${String(user)}`, undefined],
    ['PATCH', '/Groups/legal', patch({ op: 'add', ...member })],
    ['PATCH', '/Groups/legal', patch({ op: 'replace', ...member })],
    ['PUT', '/Groups/legal', { displayName: 'legal', members: member.value }],
  ] as const) {
    const answer = await scim(method, path, body);
    t.is(answer.status, 404, `${method} ${path} ${JSON.stringify(answer.body)}`);
  }
  const membersOf = async (): Promise<unknown> => (await scim('GET', '/Groups/legal')).body['members'];
  const before = await membersOf();
  const taken = await scim(
    'PATCH',
    '/Groups/legal',
    patch({ op: 'remove', path: `members[value eq "${String(user)}"]` }),
  );
  t.is(taken.status, 200, 'who is no member is no member afterwards');
  t.deepEqual(await membersOf(), before);
  const below = await scim('POST', '/Users', { ...newcomer, [SCIM_ENTERPRISE]: { manager: { value: user } } });
  t.is(below.status, 400, JSON.stringify(below.body));
  const filtered = await scim('GET', `/Users?filter=${encodeURIComponent(`id eq "${String(user)}"`)}`);
  t.is(filtered.body['totalResults'], 0);
  t.like((await by('Helena Voss').get(`/admin/users/${String(user)}`)).body, { status: 'active', role: 'legal' });
});

test('POL-3: profiles, policies and bundles of one organisation are nothing to another', async (t) => {
  const [admin, others] = [by('Helena Voss'), foreign('Helena Voss')];
  const bundleOf = async (who: Caller): Promise<Record<string, unknown>> => {
    const jws = (await who.get<string>('/profiles/support/bundle')).body;
    return JSON.parse(Buffer.from(jws.split('.')[1] ?? '', 'base64url').toString()) as Record<string, unknown>;
  };
  t.is((await admin.put('/admin/profiles/support', { restore: 1 })).status, 200);
  const own = await eventually(
    () => bundleOf(admin),
    ({ version }) => version === 2,
  );
  t.is(own['organisation'], stack.organisationId);
  t.like(await bundleOf(others), { organisation: stack.other.organisationId, version: 1 });
  t.is((await others.get<{ versions: unknown[] }>('/admin/profiles/support/versions')).body.versions.length, 1);
  t.is((await others.put('/admin/profiles/support', { restore: 2, dry_run: true })).status, 404);
  const target = others.id;
  const policies = `@id("quiet") @why("Nobody is told") forbid (principal, action == Action::"notification:send", resource) when { principal.role == "marketing" };`;
  const stored = await admin.put('/policy/organisation', { policies });
  t.is(stored.status, 200, JSON.stringify(stored.body));
  await eventually(
    async () => (await by('marketing-agent').post('/notifications', { target: 'manager', message: 'm' })).status,
    (status) => status === 403,
  );
  t.like((await others.get('/policy/organisation')).body, { version: 0, policies: '' });
  t.is((await foreign('marketing-agent').post('/notifications', { target, message: 'm' })).status, 202);
  for (const question of [
    { principal: things['agent'], action: 'task:send', resource: { kind: 'task' } },
    { action: 'task:claim', resource: things['task_id'] },
    { action: 'agent:manage', resource: things['agent'] },
  ])
    t.is((await others.post('/policy/explain', question)).status, 404, JSON.stringify(question));
});

/** What somebody hears on the stream, by topic, while it lasts. */
async function hearing(who: Caller, topics: string, signal: AbortSignal): Promise<() => string> {
  const headers = { authorization: `Bearer ${who.key}` };
  const response = await fetch(`${stack.apiUrl}/stream?topics=${topics}`, { headers, signal });
  let text = '';
  const read = async (): Promise<void> => {
    const decoder = new TextDecoder();
    for await (const chunk of response.body ?? []) text += decoder.decode(chunk as Uint8Array, { stream: true });
  };
  read().catch(() => undefined);
  return () => text;
}

test('POL-3, X-4: no topic of /stream carries anything of another organisation', async (t) => {
  const stop = new AbortController();
  t.teardown(() => stop.abort());
  const topics = 'profiles,directory,runs';
  const admin = by('Helena Voss');
  const own = await Promise.all(
    [admin, by('Priya Lindqvist'), by('analyst-agent')].map((who) => hearing(who, topics, stop.signal)),
  );
  const others = await Promise.all(
    ['Helena Voss', 'Priya Lindqvist', 'analyst-agent'].map((name) => hearing(foreign(name), topics, stop.signal)),
  );
  t.is((await admin.put('/admin/profiles/developer', { restore: 1 })).status, 200);
  t.is((await admin.put(`/admin/users/${by('Priya Lindqvist').id}`, { profile: 'manager' })).status, 200);
  t.is((await by('analyst-agent').post('/recipes/analyst/time-study/run')).status, 202);
  const heard = (): string => own.map((text) => text()).join('');
  await eventually(
    () => Promise.resolve(heard()),
    (text) => topics.split(',').every((topic) => text.includes(`event: ${topic}`)),
  );
  t.deepEqual(
    others.map((text) => /^(event|data):.*/m.exec(text())?.[0]),
    [undefined, undefined, undefined],
  );
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
