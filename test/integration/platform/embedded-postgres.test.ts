import { existsSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import test from 'ava';
import pg from 'pg';

import { startEmbeddedPostgres } from '../../../db/embedded/server.ts';
import { createDatabase, dropDatabase } from '../../../db/embedded/roles.ts';
import { migrate } from '../../../db/migrate.ts';
import { isAlive, waitForEnd } from '../../../platform/process-info.ts';
import { dataFolder } from './support/data-folder.ts';
import { runProgram } from './support/program.ts';

const migrations = path.join(import.meta.dirname, 'support/migrations');

async function query(url: string, sql: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(sql)).rows;
  } finally {
    await client.end();
  }
}

test('OPS-1: starts, keeps its data between runs, and leaves no process', async (t) => {
  const dataDir = dataFolder(t);
  const first = await startEmbeddedPostgres({ dataDir, port: 0 });
  await query(first.ownerUrl, 'create table kept as select 42 as answer');
  await first.stop();
  t.is(await first.exited, 0);
  t.false(isAlive(first.pid));
  const second = await startEmbeddedPostgres({ dataDir, port: 0 });
  t.teardown(() => second.stop());
  t.deepEqual(await query(second.ownerUrl, 'select answer from kept'), [{ answer: 42 }]);
});

test('POL-3: the application role is bound by row-level security, owns nothing and signs in by SCRAM', async (t) => {
  const server = await startEmbeddedPostgres({ dataDir: dataFolder(t), port: 0, ephemeral: true });
  t.teardown(() => server.stop());
  const [role] = await query(
    server.appUrl,
    'select rolsuper, rolbypassrls, rolcreatedb, rolcreaterole from pg_roles where rolname = current_user',
  );
  t.deepEqual(role, { rolsuper: false, rolbypassrls: false, rolcreatedb: false, rolcreaterole: false });
  await t.throwsAsync(query(server.appUrl, 'create table mine (id int)'), { message: /permission denied/ });
  const [stored] = await query(
    server.superuserUrl,
    `select rolpassword like 'SCRAM-SHA-256$%' as scram from pg_authid where rolname = 'switchboard_app'`,
  );
  t.deepEqual(stored, { scram: true });
  const [listening] = await query(
    server.superuserUrl,
    `select current_setting('listen_addresses') as on, current_setting('fsync') as fsync`,
  );
  t.deepEqual(listening, { on: '127.0.0.1', fsync: 'off' });
});

test('OPS-1: passwords are kept where only this user can read them, and refuse others', async (t) => {
  const dataDir = dataFolder(t);
  const server = await startEmbeddedPostgres({ dataDir, port: 0, ephemeral: true });
  t.teardown(() => server.stop());
  t.is(statSync(path.join(dataDir, 'postgres-credentials.json')).mode & 0o777, 0o600);
  const wrong = new URL(server.appUrl);
  wrong.password = 'wrong';
  await t.throwsAsync(query(wrong.href, 'select 1'), { message: /password authentication failed/ });
});

test('OPS-5: a server that outlived a killed process is stopped by the next start, which says so', async (t) => {
  const dataDir = dataFolder(t);
  const program = runProgram(t, 'postgres.ts', [dataDir], { SWITCHBOARD_TEST_WATCHDOG: '' });
  const orphan = Number((await program.line(/^pid /)).slice(4));
  process.kill(program.pid, 'SIGKILL');
  await program.ended;
  t.true(isAlive(orphan));
  const said: string[] = [];
  const server = await startEmbeddedPostgres({ dataDir, port: 0, say: (line) => said.push(line) });
  t.teardown(() => server.stop());
  t.false(isAlive(orphan));
  t.deepEqual(said, [`stopped Postgres left by an earlier run (process ${String(orphan)})`]);
});

test('OPS-5: what was committed survives kill -9 of the server', async (t) => {
  const dataDir = dataFolder(t);
  const first = await startEmbeddedPostgres({ dataDir, port: 0 });
  await query(first.ownerUrl, 'create table kept as select 1 as id');
  process.kill(first.pid, 'SIGKILL');
  t.is(await first.exited, null);
  const second = await startEmbeddedPostgres({ dataDir, port: 0 });
  t.teardown(() => second.stop());
  t.deepEqual(await query(second.ownerUrl, 'select id from kept'), [{ id: 1 }]);
});

test('OPS-1: a data folder in use is refused with the process that uses it', async (t) => {
  const dataDir = dataFolder(t);
  const server = await startEmbeddedPostgres({ dataDir, port: 0, ephemeral: true });
  t.teardown(() => server.stop());
  await t.throwsAsync(startEmbeddedPostgres({ dataDir, port: 0 }), {
    message: new RegExp(`process ${String(process.pid)}.*SWITCHBOARD_DATA_DIR`),
  });
  t.deepEqual(await query(server.appUrl, 'select 1 as one'), [{ one: 1 }]);
});

test('OPS-1: a taken port is named with the variable that changes it', async (t) => {
  const server = await startEmbeddedPostgres({ dataDir: dataFolder(t), port: 0, ephemeral: true });
  t.teardown(() => server.stop());
  const other = startEmbeddedPostgres({ dataDir: dataFolder(t), port: server.port, ephemeral: true });
  await t.throwsAsync(other, { message: /in use.*SWITCHBOARD_POSTGRES_PORT/ });
});

const asRoot = process.getuid?.() === 0 ? test : test.skip;

asRoot('OPS-1: root with a folder closed to others keeps the cluster elsewhere and finds it again', async (t) => {
  const dataDir = path.join(dataFolder(t, 0o700), 'data');
  const first = await startEmbeddedPostgres({ dataDir, port: 0 });
  await query(first.ownerUrl, 'create table kept as select 7 as id');
  await first.stop();
  const elsewhere = readFileSync(path.join(dataDir, 'postgres-location'), 'utf8').trim();
  t.true(existsSync(path.join(elsewhere, 'cluster')));
  const second = await startEmbeddedPostgres({ dataDir, port: 0, ephemeral: true });
  t.deepEqual(await query(second.ownerUrl, 'select id from kept'), [{ id: 7 }]);
  await second.stop();
  t.false(existsSync(elsewhere));
});

test('OPS-3: two migrations at once both succeed and apply each file once', async (t) => {
  const server = await startEmbeddedPostgres({ dataDir: dataFolder(t), port: 0, ephemeral: true });
  t.teardown(() => server.stop());
  const applied = await Promise.all([migrate(server.ownerUrl, migrations), migrate(server.ownerUrl, migrations)]);
  t.deepEqual(applied.flat(), ['0001_note']);
  t.deepEqual(await migrate(server.ownerUrl, migrations), []);
  t.deepEqual(await query(server.appUrl, 'select count(*)::int as notes from note'), [{ notes: 0 }]);
});

test('OPS-1: tests get databases of their own on a running server', async (t) => {
  const server = await startEmbeddedPostgres({ dataDir: dataFolder(t), port: 0, ephemeral: true });
  t.teardown(() => server.stop());
  const own = await createDatabase(server, 'test_one');
  await migrate(own.ownerUrl, migrations);
  t.deepEqual(await query(own.appUrl, 'select current_database() as name, (select count(*)::int from note) as notes'), [
    { name: 'test_one', notes: 0 },
  ]);
  await t.throwsAsync(query(server.appUrl, 'select from note'), { message: /does not exist/ });
  await dropDatabase(server, 'test_one');
  await t.throwsAsync(query(own.appUrl, 'select 1'));
  await t.throwsAsync(createDatabase(server, 'x"; drop'), { message: /no database name/ });
  t.true(await waitForEnd(999_999_999, 10));
});
