import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';

import test from 'ava';

import { taskWorkflowId } from '../../../contracts/task-workflow.ts';
import { recipeScheduleId } from '../../../contracts/recipe-workflow.ts';
import { loadProfiles } from '../../../directory/profiles.ts';
import { syncRecipeSchedules } from '../../../workers/recipe-schedules.ts';
import { sealAll, verdict } from '../audit/record-scene.ts';
import { callerOf } from '../../support/caller.ts';
import type { Caller } from '../../support/caller.ts';
import { testServers } from '../../support/environment.ts';
import { leaksIn, tablesOf } from '../../support/leaks.ts';
import { eventually } from '../../support/rest.ts';
import { asOwner } from '../../support/scene.ts';
import { startStack } from '../../support/stack.ts';
import type { TestStack } from '../../support/stack.ts';

const root = path.resolve(import.meta.dirname, '../../..');
const EMAIL = 'petra.vanished@example.org';
const TITLE = 'Offer for the vanished harbour';

let stack: TestStack;
test.before(async (t) => {
  t.timeout(180_000);
  stack = await startStack();
});
test.after.always(() => stack.close());

const gone = (name: string): Caller => callerOf(stack, name, 'other');
const serverUrl = (which: 'ownerUrl' | 'superuserUrl'): string => {
  const url = new URL(testServers().postgres[which]);
  url.pathname = new URL(stack.databaseUrl).pathname;
  return url.href;
};

/** The command as an operator runs it, on the stack's database and Temporal. */
async function organisation(...args: string[]): Promise<{ code: number; text: string }> {
  const { address, namespace } = testServers().temporal;
  const env = {
    ...process.env,
    SWITCHBOARD_DATABASE_URL: stack.databaseUrl,
    SWITCHBOARD_DATABASE_OWNER_URL: serverUrl('ownerUrl'),
    SWITCHBOARD_DATA_DIR: stack.folder,
    SWITCHBOARD_TEMPORAL_ADDRESS: address,
    SWITCHBOARD_TEMPORAL_NAMESPACE: namespace,
    SWITCHBOARD_TEMPORAL_TASK_QUEUE: stack.taskQueue,
  };
  const command = [path.join(root, 'cli/main.ts'), 'organisation', ...args];
  try {
    return { code: 0, text: (await promisify(execFile)(process.execPath, command, { env })).stdout };
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
    return { code, text: stdout + stderr };
  }
}

const syncSchedules = (): Promise<void> => {
  const profiles = loadProfiles(path.join(root, 'profiles'));
  const deps = { ...stack, profilesOf: () => Promise.resolve(profiles), log: { warn: () => undefined } };
  return syncRecipeSchedules(deps, stack.other.organisationId);
};
const countsOf = async (organisationId: string): Promise<Record<string, number>> => {
  const tables = await asOwner<{ name: string }>(
    stack,
    "SELECT table_name AS name FROM information_schema.columns WHERE table_schema = 'public' AND column_name = 'organisation_id' ORDER BY 1",
  );
  const counts: Record<string, number> = {};
  for (const { name } of tables) {
    const [row] = await asOwner<{ count: number }>(
      stack,
      `SELECT count(*)::int AS count FROM "${name}" WHERE organisation_id = $1`,
      [organisationId],
    );
    counts[name] = row?.count ?? 0;
  }
  return counts;
};

test.serial('POL-3: every table that holds rows of organisations is under row-level security', async (t) => {
  const open = await asOwner<{ name: string }>(
    stack,
    `SELECT c.relname AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p') AND c.relname <> 'migrations'
       AND NOT (c.relrowsecurity AND EXISTS (SELECT 1 FROM pg_policy p WHERE p.polrelid = c.oid))`,
  );
  t.deepEqual(open, []);
});

test.serial('POL-3, OPS-4: an organisation is exported in clear, and nothing of another with it', async (t) => {
  t.timeout(120_000);
  const sender = gone('finance-agent');
  const words = { title: TITLE, description: `Ask ${EMAIL} about it.` };
  const { task_id } = (await sender.post('/tasks/route', { target: 'hr', type: 'offer', ...words })).body;
  await callerOf(stack, 'finance-agent').post('/tasks/route', { target: 'hr', type: 'own', title: 'Ours alone' });
  const to = path.join(mkdtempSync(path.join(os.tmpdir(), 'switchboard-export-')), 'export');
  t.teardown(() => rmSync(path.dirname(to), { recursive: true, force: true }));
  const { code, text } = await organisation('export', '--organisation', stack.other.organisationId, '--to', to);
  t.is(code, 0, text);

  const files = readdirSync(to);
  const all = files.map((file) => readFileSync(path.join(to, file), 'utf8')).join('\n');
  for (const expected of [EMAIL, TITLE, task_id, gone('Helena Voss').id]) t.true(all.includes(expected), expected);
  t.false(all.includes('Ours alone'));
  t.false(all.includes(stack.organisationId));
  for (const file of files) t.is(statSync(path.join(to, file)).mode & 0o077, 0, file);
  interface Manifest {
    readonly files: readonly { file: string; rows: number; sha256: string }[];
  }
  const manifest = JSON.parse(readFileSync(path.join(to, 'manifest.json'), 'utf8')) as Manifest;
  const counts = await countsOf(stack.other.organisationId);
  for (const { file, rows, sha256 } of manifest.files) {
    const bytes = readFileSync(path.join(to, file));
    t.is(createHash('sha256').update(bytes).digest('hex'), sha256, file);
    t.is(bytes.toString().split('\n').length - 1, rows, file);
    if (!/^(audit_|outbox|request_limits|workflow_writers|deliveries)/.test(file))
      t.is(rows, counts[file.replace('.jsonl', '')] ?? 0, file);
  }
  const again = await organisation('export', '--organisation', stack.other.organisationId, '--to', to);
  t.not(again.code, 0, 'nothing is written over');
  const events = await stack.database.inOrganisation(stack.other.organisationId, (sql) =>
    sql.query<object>(
      "SELECT actor_kind, actor_id, subject_id, details FROM audit_events WHERE action = 'organisation.exported' LIMIT 1",
    ),
  );
  const details = { operator: os.userInfo().username };
  const subject_id = stack.other.organisationId;
  t.deepEqual(events, [{ actor_kind: 'service', actor_id: 'switchboard', subject_id, details }]);
});

test.serial(
  'POL-3, OPS-4: an erased organisation leaves its record alone, which verifies; others keep all',
  async (t) => {
    t.timeout(120_000);
    const { organisationId } = stack.other;
    await syncSchedules();
    const { task_id } = (await gone('finance-agent').post('/tasks/route', { target: 'hr', type: 'x' })).body;
    const unsaid = await organisation('erase', '--organisation', organisationId);
    t.is(unsaid.code, 2, 'nothing is erased unless it is said twice');
    const before = await countsOf(stack.organisationId);

    const { code, text } = await organisation('erase', '--organisation', organisationId, '--yes');
    t.is(code, 0, text);
    const left = Object.entries(await countsOf(organisationId)).filter(
      ([name, count]) => count > 0 && !/^(audit_.*|organisations|organisation_keys)$/.test(name),
    );
    t.deepEqual(left, []);
    const planted = [EMAIL, TITLE, 'harbour'];
    t.deepEqual(leaksIn(await tablesOf(serverUrl('superuserUrl')), planted), []);
    t.like(await countsOf(stack.organisationId), {
      users: before['users'],
      tasks: before['tasks'],
      agents: before['agents'],
    });

    const task = stack.client.workflow.getHandle(taskWorkflowId(organisationId, task_id));
    await eventually(
      async () => (await task.describe()).status.name,
      (status) => status === 'TERMINATED',
    );
    const schedule = { organisation_id: organisationId, role: 'finance', recipe: 'monthly-close' } as const;
    await t.throwsAsync(stack.client.schedule.getHandle(recipeScheduleId(schedule, stack.taskQueue)).describe());
    await syncSchedules();
    await t.throwsAsync(
      stack.client.schedule.getHandle(recipeScheduleId(schedule, stack.taskQueue)).describe(),
      undefined,
      'the upkeep brings nothing back',
    );
    await eventually(
      async () => (await gone('Helena Voss').get('/me')).status,
      (status) => status === 401,
    );
    await sealAll(stack.database, organisationId, stack.folder);
    const { findings } = await verdict(stack.database, organisationId, stack.folder);
    t.deepEqual(findings, []);
  },
);

test.serial('X-1: the commands refuse what they cannot do, with what is wrong', async (t) => {
  for (const [args, said] of [
    [['burn'], /organisation list/],
    [['export', '--organisation', stack.organisationId], /--to FOLDER/],
    [['erase', '--yes'], /--organisation ID/],
    [['export', '--organisation', 'org_x', '--to', '/tmp/never'], /There is no organisation org_x/],
    [['erase', '--organisation', 'org_x', '--yes'], /There is no organisation org_x/],
  ] as const) {
    const { code, text } = await organisation(...args);
    t.not(code, 0);
    t.regex(text, said);
  }
});
