import path from 'node:path';

import test from 'ava';
import pg from 'pg';

import { addProfile } from '../../../db/profiles.ts';
import { loadProfiles } from '../../../directory/profiles.ts';
import { openOrganisationSettings } from '../../../directory/settings.ts';
import type { OrganisationSettings } from '../../../directory/settings.ts';
import { createLogger } from '../../../platform/log.ts';
import { eventually } from '../../support/rest.ts';
import { asOwner } from '../../support/scene.ts';
import { startStack } from '../../support/stack.ts';
import type { TestStack } from '../../support/stack.ts';

let stack: TestStack;
const profiles = loadProfiles(path.resolve(import.meta.dirname, '../../../profiles'));

test.before(async (t) => {
  t.timeout(180_000);
  stack = await startStack({ worker: false });
});
test.after.always(() => stack.close());

const log = createLogger({ name: 'test', level: 'silent' });
/** What one more process knows. */
const another = (): Promise<OrganisationSettings> =>
  openOrganisationSettings({ database: stack.database, url: stack.databaseUrl, log, profiles });
const versionIn = async ({ profilesOf }: OrganisationSettings, organisation = stack.organisationId) =>
  (await profilesOf(organisation)).published('hr')?.version;

const row = (version: number) => ({
  role: 'hr' as const,
  version,
  profile: profiles.get('hr'),
  digest: 'sha256:0',
  restores: null,
  created_by: 'test',
});
const store = (version: number) =>
  stack.database.transaction(stack.organisationId, (sql) => addProfile(sql, row(version)));
const seen = (settings: OrganisationSettings, version: number) =>
  eventually(
    () => versionIn(settings),
    (now) => now === version);

test.serial('DIR-2: every process knows a new version within two seconds, and one that starts later too', async (t) => {
  const processes = await Promise.all([another(), another(), another()]);
  t.teardown(() => Promise.all(processes.map((one) => one.close())));
  t.deepEqual(await Promise.all(processes.map((one) => versionIn(one))), [1, 1, 1]);
  await store(2);
  await Promise.all(processes.map((one) => seen(one, 2)));
  const late = await another();
  t.teardown(() => late.close());
  t.is(await versionIn(late), 2);
  t.is(await versionIn(late, stack.other.organisationId), 1, 'another organisation has its own');
});

test.serial('DIR-2: what is announced while nobody can hear is found all the same', async (t) => {
  const settings = await another();
  t.teardown(() => settings.close());
  t.is(await versionIn(settings), 2);
  await asOwner(
    stack,
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN%settings%'",
  );
  await store(3);
  await seen(settings, 3);
  await store(4);
  await seen(settings, 4);
  t.pass();
});

test.serial('DIR-2: a version that commits after a later one is not missed', async (t) => {
  const settings = await another();
  t.teardown(() => settings.close());
  t.is(await versionIn(settings), 4);
  const slow = new pg.Client({ connectionString: stack.databaseUrl });
  await slow.connect();
  t.teardown(() => slow.end());
  await slow.query('BEGIN');
  await slow.query("SELECT set_config('app.organisation', $1, true)", [stack.organisationId]);
  await slow.query(
    `INSERT INTO profile_versions (organisation_id, role, version, profile, digest, created_by)
     VALUES (current_setting('app.organisation'), 'hr', 5, $1, 'x', 'test')`,
    [JSON.stringify(profiles.get('hr'))],
  );
  // Others move on meanwhile, in another organisation: the same row of changes would wait for the slow one.
  await stack.database.transaction(stack.other.organisationId, (sql) => addProfile(sql, row(2)));
  await eventually(
    () => versionIn(settings, stack.other.organisationId),
    (now) => now === 2);
  t.is(await versionIn(settings), 4);
  await slow.query('COMMIT');
  await seen(settings, 5);
  t.pass();
});

test.serial('DIR-3: a stored profile that cannot be used is told, and not replaced by a wider one', async (t) => {
  const settings = await another();
  t.teardown(() => settings.close());
  await asOwner(
    stack,
    `INSERT INTO profile_versions (organisation_id, role, version, profile, digest, created_by)
     VALUES ($1, 'legal', 2, '{"role": "legal"}', 'x', 'test')`,
    [stack.other.organisationId],
  );
  await eventually(
    () => settings.profilesOf(stack.other.organisationId).then(() => 'usable', String),
    (answer) => /Version 2 of the profile of legal cannot be used: .*display_name/.test(answer));
  t.is(await versionIn(settings), 5);
});

test.serial('DIR-3: versions are only added: the application can neither change nor remove one', async (t) => {
  for (const statement of [
    "UPDATE profile_versions SET digest = 'y'",
    'DELETE FROM profile_versions',
    "UPDATE organisation_policies SET text = ''",
    'DELETE FROM organisation_policies',
    'DELETE FROM setting_changes',
  ])
    await t.throwsAsync(
      stack.database.inOrganisation(stack.organisationId, (sql) => sql.query(statement)),
      { message: /permission denied/ },
      statement,
    );
});
