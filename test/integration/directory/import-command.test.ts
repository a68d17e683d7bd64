import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import path from 'node:path';

import test from 'ava';

import { DIRECTORY_SWEEP_SCHEDULE } from '../../../contracts/directory-workflow.ts';
import { ensureDirectorySchedule } from '../../../temporal/schedules.ts';
import { callerOf } from '../../support/caller.ts';
import type { Body, Caller } from '../../support/caller.ts';
import { testServers } from '../../support/environment.ts';
import { exportedChart } from '../../support/org-files.ts';
import { eventually } from '../../support/rest.ts';
import { asOwner } from '../../support/scene.ts';
import { startStack } from '../../support/stack.ts';
import type { TestStack } from '../../support/stack.ts';

const CLI = path.resolve(import.meta.dirname, '../../../cli/main.ts');

let stack: TestStack;
let admin: Caller;
let chart: string;
test.before(async (t) => {
  t.timeout(180_000);
  stack = await startStack();
  admin = callerOf(stack, 'Helena Voss');
  chart = await exportedChart(stack, admin.key);
});
test.after.always(() => stack.close());

interface Ran {
  readonly code: number | null;
  readonly text: string;
}
/** Runs `switchboard import …` as a process of its own; a file's content may be given for FILE. */
async function runCli(csv: string, args: readonly string[] = [], env: Record<string, string> = {}): Promise<Ran> {
  const file = path.join(stack.folder, 'people.csv');
  writeFileSync(file, csv);
  const { address, namespace } = testServers().temporal;
  const child = spawn(process.execPath, [CLI, 'import', file, ...args], {
    env: {
      PATH: process.env['PATH'] ?? '',
      SWITCHBOARD_DATA_DIR: stack.folder,
      SWITCHBOARD_DATABASE_URL: stack.databaseUrl,
      SWITCHBOARD_TEMPORAL_ADDRESS: address,
      SWITCHBOARD_TEMPORAL_NAMESPACE: namespace,
      SWITCHBOARD_TEMPORAL_TASK_QUEUE: stack.taskQueue,
      ...env,
    },
  });
  let text = '';
  for (const output of [child.stdout, child.stderr]) output.on('data', (piece: Buffer) => (text += piece.toString()));
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { code, text };
}
const ours = (): string[] => ['--organisation', stack.organisationId];
const imports = async (): Promise<Body[]> => (await admin.get<{ imports: Body[] }>('/admin/org/imports')).body.imports;
const without = (...ids: number[]): string =>
  chart
    .split('\n')
    .filter((line) => !ids.some((id) => line.startsWith(`${String(id)},`)))
    .join('\n');

test.serial('DIR-1: the import command says which organisation it needs, and does not know others', async (t) => {
  const none = await runCli(chart);
  t.is(none.code, 1);
  t.regex(none.text, /several organisations: say which/);
  const unknown = await runCli(chart, ['--organisation', 'org_nobody']);
  t.is(unknown.code, 1);
  t.regex(unknown.text, /There is no organisation org_nobody/);
  t.deepEqual(await imports(), []);
});

test.serial('DIR-1: the import command tells every fault, changes nothing and fails', async (t) => {
  const faulty = `${chart.trimEnd()}\n98,1,No Role,chief,no.role@example.com,Sales,,en-US,active\n99,1,No Address,hr,nowhere,Sales,,en-US,active\n`;
  const { code, text } = await runCli(faulty, ours());
  t.is(code, 1, text);
  t.regex(text, /has 2 faults; nothing was changed/);
  t.regex(text, /row \d+, role: /);
  t.regex(text, /row \d+, email: /);
  const [failed] = await imports();
  t.like(failed, { status: 'failed', reason: 'invalid_org_chart' });
});

test.serial('DIR-1: a dry run of the import command says what would change, and changes nothing', async (t) => {
  const { code, text } = await runCli(without(6), [...ours(), '--dry-run']);
  t.is(code, 0, text);
  t.regex(text, /deactivated +6/);
  t.regex(text, /Would be 0 added, 0 changed, 1 deactivated, 0 reactivated, \d+ unchanged/);
  t.is((await imports()).length, 1);
  t.is((await callerOf(stack, 'Owen Tashiro').get('/me')).status, 200);
});

test.serial('DIR-1: the import command asks for a confirmation where very many would leave', async (t) => {
  const refused = await runCli(without(5, 6, 8), ours());
  t.is(refused.code, 1, refused.text);
  t.regex(refused.text, /Nothing was changed: /);
  t.like((await imports())[0], { status: 'failed', reason: 'too_many_deactivations' });
});

test.serial('DIR-1: the import command has open work move at once, where Temporal can be reached', async (t) => {
  t.timeout(60_000);
  // By itself it would come within half a minute, which is no proof.
  await ensureDirectorySchedule(stack.client, stack.taskQueue);
  const schedule = stack.client.schedule.getHandle(`${DIRECTORY_SWEEP_SCHEDULE}-${stack.taskQueue}`);
  await schedule.update((one) => ({ ...one, spec: { intervals: [{ every: '1 hour' }] } }));
  t.teardown(() => schedule.delete());
  const [gone, manager] = [callerOf(stack, 'Owen Tashiro'), callerOf(stack, 'Tobias Renn')];
  const { task_id } = (await admin.post('/tasks/route', { target: gone.id, type: 'x' })).body;
  const { code, text } = await runCli(without(6), ours());
  t.is(code, 0, text);
  t.regex(text, /Done: 0 added, 0 changed, 1 deactivated/);
  t.regex(text, /Open work of 1 people is moving now/);
  await eventually(
    async () => (await admin.get(`/tasks/${task_id}`)).body.assignee,
    (assignee) => assignee === manager.id,
  );
  t.like((await imports())[0], { status: 'complete', uploaded_by: 'operator', users_deactivated: 1 });
});

test.serial('DIR-1: without Temporal the import command imports, and says that open work moves later', async (t) => {
  const { task_id } = (await admin.post('/tasks/route', { target: callerOf(stack, 'Felix Amaro').id, type: 'x' })).body;
  t.truthy(task_id);
  const away = { SWITCHBOARD_TEMPORAL_ADDRESS: '127.0.0.1:9' };
  const { code, text } = await runCli(without(6, 8), [...ours(), '--confirm-deactivations'], away);
  t.is(code, 0, text);
  t.regex(text, /Open work of 1 people moves with the next sweep: Temporal does not answer at 127\.0\.0\.1:9/);
  const open = await asOwner(stack, 'SELECT 1 FROM directory_moves WHERE done_at IS NULL');
  t.is(open.length, 1);
});
