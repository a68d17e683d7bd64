import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

import test from 'ava';
import type { ExecutionContext } from 'ava';

import { SYSTEM_ORGANISATION } from '../../../contracts/codec.ts';
import { taskWorkflowId } from '../../../contracts/task-workflow.ts';
import { openDatabase } from '../../../db/pool.ts';
import type { Database } from '../../../db/pool.ts';
import { newId } from '../../../platform/ids.ts';
import { startTcpRelay } from '../../../platform/tcp-relay.ts';
import { KeyErasedError, openKeyRing } from '../../../privacy/key-ring.ts';
import type { KeyRing } from '../../../privacy/key-ring.ts';
import { createCodec } from '../../../temporal/codec.ts';
import { callerOf, callerWith } from '../../support/caller.ts';
import { testServers } from '../../support/environment.ts';
import { eventually, rest } from '../../support/rest.ts';
import { asOwner } from '../../support/scene.ts';
import { startStack } from '../../support/stack.ts';
import type { TestStack } from '../../support/stack.ts';

const root = path.resolve(import.meta.dirname, '../../..');

let stack: TestStack;
test.before(async (t) => {
  t.timeout(120_000);
  stack = await startStack();
});
test.after.always(() => stack.close());

/** A process of its own, as far as keys are concerned. */
async function ringOf(t: ExecutionContext, { listening = true, freshMs = 60_000 } = {}): Promise<KeyRing> {
  const database = openDatabase({ url: stack.databaseUrl, max: 4 });
  const ring = await openKeyRing({
    masterKey: stack.masterKey,
    database,
    freshMs,
    ...(listening && { url: stack.databaseUrl }),
  });
  t.teardown(async () => {
    await ring.close();
    await database.close();
  });
  return ring;
}

/** The command as an operator runs it, on the stack's database and Temporal. */
async function keys(...args: string[]): Promise<{ code: number; text: string }> {
  const { address, namespace } = testServers().temporal;
  const env = {
    ...process.env,
    SWITCHBOARD_DATABASE_URL: stack.databaseUrl,
    SWITCHBOARD_DATA_DIR: stack.folder,
    SWITCHBOARD_TEMPORAL_ADDRESS: address,
    SWITCHBOARD_TEMPORAL_NAMESPACE: namespace,
  };
  try {
    const { stdout } = await promisify(execFile)(process.execPath, [path.join(root, 'cli/main.ts'), 'keys', ...args], {
      env,
    });
    return { code: 0, text: stdout };
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
    return { code, text: stdout + stderr };
  }
}

const auditOf = (organisation: string): Promise<{ action: string; details: object }[]> =>
  asOwner(
    stack,
    "SELECT action, details - 'operator' AS details FROM audit_events WHERE organisation_id = $1 AND category = 'keys' ORDER BY position",
    [organisation],
  );

test('OPS-4: processes that need a first key at the same time agree on one, and it is stored sealed', async (t) => {
  const organisation = newId('organisation');
  const rings = await Promise.all([1, 2, 3, 4].map(() => ringOf(t)));
  const current = await Promise.all(rings.map((ring) => ring.forPurpose('history').current(organisation)));
  for (const { version, key } of current) {
    t.is(version, 1);
    t.deepEqual(key, current[0]?.key);
  }
  const rows = await asOwner<{ wrapped: Buffer }>(
    stack,
    'SELECT wrapped FROM organisation_keys WHERE organisation_id = $1',
    [organisation],
  );
  t.is(rows.length, 1);
  t.false(rows[0]?.wrapped.includes(current[0]?.key ?? 'none') ?? true);
});

test('OPS-4: a look that began before the first key was there answers nobody who needs it', async (t) => {
  const organisation = newId('organisation');
  const real = openDatabase({ url: stack.databaseUrl, max: 4 });
  t.teardown(() => real.close());
  const made = Promise.withResolvers<undefined>();
  let calls = 0;
  // First looks, then makes the key; second looks before it is made and hears of that after.
  const database: Database = {
    ...real,
    async inOrganisation(id, work) {
      const turn = (calls += 1);
      if (turn === 2) await sleep(50);
      const seen = await real.inOrganisation(id, work);
      if (turn === 2) setTimeout(() => made.resolve(undefined), 50);
      if (turn === 3) await made.promise;
      return seen;
    },
  };
  const keys = (await openKeyRing({ masterKey: stack.masterKey, database })).forPurpose('history');
  const first = keys.current(organisation);
  while (calls < 2) await sleep(1);
  const second = keys.current(organisation);
  t.deepEqual((await first).key, (await second).key);
  t.true(calls > 3, 'it looked again');
});

test('OPS-4, X-4: the application sees the keys of one organisation at a time', async (t) => {
  const [one, other] = [newId('organisation'), newId('organisation')];
  const ring = (await ringOf(t)).forPurpose('history');
  const [a, b] = await Promise.all([ring.current(one), ring.current(other)]);
  t.notDeepEqual(a.key, b.key);
  const seen = await stack.database.inOrganisation(one, (sql) =>
    sql.query<{ organisation_id: string }>('SELECT organisation_id FROM organisation_keys'),
  );
  t.deepEqual(seen, [{ organisation_id: one }]);
  await t.throwsAsync(
    stack.database.inOrganisation(one, (sql) =>
      sql.query(
        `INSERT INTO organisation_keys (organisation_id, version, wrapped, master_version, status) VALUES ($1, 9, '', 1, 'retired')`,
        [other],
      ),
    ),
    { message: /row-level security/ },
  );
  await t.throwsAsync(
    stack.database.inOrganisation(one, (sql) => sql.query('DELETE FROM organisation_keys')),
    {
      message: /permission denied/,
    },
  );
});

test('OPS-4: a key moved to another organisation, or sealed under another master key, is refused', async (t) => {
  const [one, other] = [newId('organisation'), newId('organisation')];
  await (await ringOf(t)).forPurpose('history').current(one);
  await asOwner(
    stack,
    `INSERT INTO organisation_keys (organisation_id, version, wrapped, master_version, status)
     SELECT $2, version, wrapped, master_version, status FROM organisation_keys WHERE organisation_id = $1`,
    [one, other],
  );
  const ring = (await ringOf(t)).forPurpose('history');
  await t.throwsAsync(ring.current(other), { message: /cannot be opened: its row was changed/ });
  await asOwner(stack, 'UPDATE organisation_keys SET master_version = 2 WHERE organisation_id = $1', [other]);
  await t.throwsAsync((await ringOf(t)).forPurpose('history').current(other), { message: /sealed with master key 2/ });
  await t.throwsAsync(ring.find(one, 5), { message: /There is no key .*\/5/ });
});

for (const listening of [true, false])
  test.serial(
    `OPS-4: a rotation and an erasure reach every process within five seconds, ${listening ? 'announced' : 'even unannounced'}`,
    async (t) => {
      const organisation = newId('organisation');
      await stack.database.transaction(organisation, (sql) =>
        sql.query("INSERT INTO organisations (organisation_id, name) VALUES ($1, 'Erasable')", [organisation]),
      );
      const rings = await Promise.all([1, 2].map(() => ringOf(t, listening ? {} : { listening, freshMs: 4_000 })));
      const [one, two] = rings.map((ring) => ring.forPurpose('history'));
      const context = { type: 'workflow', namespace: 'default', workflowId: `task:${organisation}:1` } as const;
      const before = await createCodec(one ?? stack.historyKeys).encode([{ data: Buffer.from('1') }], context);
      t.is((await two?.current(organisation))?.version, 1);

      t.is((await keys('rotate', '--organisation', organisation)).code, 0);
      const versions = (): Promise<number[]> =>
        Promise.all([one, two].map(async (ring) => (await ring?.current(organisation))?.version ?? 0));
      await eventually(versions, (seen) => seen.every((version) => version === 2), 5_000);
      await t.notThrowsAsync(createCodec(two ?? stack.historyKeys).decode(before, context), 'the old stays readable');

      t.is((await keys('erase', '--organisation', organisation)).code, 2, 'nothing without --yes');
      t.is((await one?.current(organisation))?.version, 2);
      const erased = await keys('erase', '--organisation', organisation, '--yes');
      t.is(erased.code, 0, erased.text);
      const isErased = async (): Promise<boolean> =>
        (await Promise.allSettled([one, two].map(async (ring) => ring?.current(organisation)))).every(
          (result) => result.status === 'rejected' && result.reason instanceof KeyErasedError,
        );
      await eventually(isErased, Boolean, 5_000);
      await t.throwsAsync(createCodec(two ?? stack.historyKeys).decode(before, context), {
        instanceOf: KeyErasedError,
      });
      const rows = await asOwner<object>(
        stack,
        'SELECT status, wrapped, erased_at IS NOT NULL AS dated FROM organisation_keys WHERE organisation_id = $1',
        [organisation],
      );
      t.deepEqual(
        rows,
        [1, 2].map(() => ({ status: 'erased', wrapped: null, dated: true })),
      );
      t.deepEqual(await auditOf(organisation), [
        { action: 'keys.rotated', details: { version: 2 } },
        { action: 'keys.erased', details: { versions: 2 } },
      ]);
    },
  );

test('OPS-4: no key comes back after an erasure, neither by the application nor where there was none', async (t) => {
  const organisation = newId('organisation');
  await stack.database.transaction(organisation, (sql) =>
    sql.query("INSERT INTO organisations (organisation_id, name) VALUES ($1, 'Empty')", [organisation]),
  );
  t.is((await keys('erase', '--organisation', organisation, '--yes')).code, 0);
  await t.throwsAsync((await ringOf(t)).forPurpose('history').current(organisation), { instanceOf: KeyErasedError });
  t.regex((await keys('rotate', '--organisation', organisation)).text, /were erased/);
  for (const sql of [
    `INSERT INTO organisation_keys (organisation_id, version, wrapped, master_version, status) VALUES ('${organisation}', 2, 'x', 1, 'current')`,
    "UPDATE organisation_keys SET status = 'current', wrapped = 'x', erased_at = NULL",
  ])
    await t.throwsAsync(
      stack.database.inOrganisation(organisation, (queryable) => queryable.query(sql)),
      { message: /were erased/ },
    );
});

test('OPS-4: the commands refuse what they cannot do, and list what there is without any key', async (t) => {
  const listed = await keys('list');
  t.is(listed.code, 0, listed.text);
  t.true(listed.text.includes(stack.organisationId));
  t.true(listed.text.includes(SYSTEM_ORGANISATION));
  t.regex((await keys('rotate')).text, /--organisation ID/);
  t.regex((await keys('rotate', '--organisation', newId('organisation'))).text, /There is no organisation/);
  t.regex((await keys('forget')).text, /keys list/);
});

test.serial(
  'OPS-4: after an erasure histories cannot be read, nothing new begins, and open work is ended',
  async (t) => {
    const { keys: others, ids, organisationId } = stack.other;
    const as = (name: string) => callerWith(stack.apiUrl, { name, id: ids[name] ?? '', key: others[name] ?? '' });
    const send = () => as('finance-agent').post('/tasks/route', { target: ids['hr-agent'], type: 'x' });
    const { task_id } = (await send()).body;
    const workflowId = taskWorkflowId(organisationId, task_id);
    const erased = await keys('erase', '--organisation', organisationId, '--yes');
    t.regex(erased.text, /[1-9]\d* open workflows were ended/);
    await eventually(
      async () => (await stack.client.workflow.getHandle(workflowId).describe()).status.name,
      (status) => status === 'TERMINATED',
    );
    const refused = await send();
    t.deepEqual([refused.status, refused.body.code], [410, 'organisation_erased']);
    const mine = await callerOf(stack, 'finance-agent').post('/tasks/route', {
      target: stack.ids['hr-agent'],
      type: 'x',
    });
    t.is(mine.status, 202, 'other organisations go on');
    const answer = await rest<{ detail: string }>(stack.apiUrl, others['Helena Voss'], 'POST', '/codec/encode', {
      body: { payloads: [{ data: 'e30=' }] },
    });
    t.is(answer.status, 410);
    t.regex(answer.body.detail, /were erased/);
  },
);

test('OPS-4: without the master key nothing is sealed anew', async (t) => {
  const empty = mkdtempSync(path.join(os.tmpdir(), 'switchboard-test-'));
  t.teardown(() => rmSync(empty, { recursive: true, force: true }));
  const env = { ...process.env, SWITCHBOARD_DATABASE_URL: stack.databaseUrl, SWITCHBOARD_DATA_DIR: empty };
  const failed = promisify(execFile)(
    process.execPath,
    [path.join(root, 'cli/main.ts'), 'keys', 'rotate', '--organisation', stack.organisationId],
    { env },
  );
  await t.throwsAsync(failed, { message: /master\.key is missing/ });
  t.false(existsSync(path.join(empty, 'master.key')));
});

test('OPS-5: while the database is away known keys are used at once, and a key that is not known is waited for', async (t) => {
  t.timeout(60_000);
  const address = new URL(stack.databaseUrl);
  const relay = await startTcpRelay(0, '127.0.0.1', [{ host: address.hostname, port: Number(address.port) }]);
  t.teardown(() => relay.close());
  address.port = String(relay.port);
  const database = openDatabase({ url: address.href, max: 4 });
  t.teardown(() => database.close());
  const options = { masterKey: stack.masterKey, database, freshMs: 0 };
  const [hasty, patient] = [
    await openKeyRing({ ...options, patienceMs: 0 }),
    await openKeyRing({ ...options, patienceMs: Infinity }),
  ];
  const known = await patient.forPurpose('history').current(stack.organisationId);
  relay.cut();
  await t.throwsAsync(hasty.forPurpose('history').current(stack.organisationId));
  await patient.forPurpose('history').current(stack.organisationId);
  const started = performance.now();
  const during = await patient.forPurpose('history').current(stack.organisationId);
  t.true(performance.now() - started < 1_000, 'nobody waits for a look that fails');
  t.deepEqual(during, known);
  const unknown = patient.forPurpose('history').current(SYSTEM_ORGANISATION);
  t.is(await Promise.race([unknown, sleep(500, 'waits')]), 'waits');
  relay.mend();
  t.true((await unknown).version >= 1);
});
