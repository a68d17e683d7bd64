import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import test from 'ava';

import { DIRECTORY_SWEEP_WORKFLOW } from '../../../contracts/directory-workflow.ts';
import type { DirectorySweepWorkflow } from '../../../contracts/directory-workflow.ts';
import { callerOf } from '../../support/caller.ts';
import type { Caller } from '../../support/caller.ts';
import { CHART_HEADER, exportedChart, importBody, importForm } from '../../support/org-files.ts';
import { eventually } from '../../support/rest.ts';
import { asOwner } from '../../support/scene.ts';
import { startStack } from '../../support/stack.ts';
import type { TestStack } from '../../support/stack.ts';

const ROOT = path.resolve(import.meta.dirname, '../../..');

let stack: TestStack;
let admin: Caller;
test.before(async (t) => {
  t.timeout(180_000);
  stack = await startStack();
  admin = callerOf(stack, 'Helena Voss');
});
test.after.always(() => stack.close());

/** What the directory holds, of both organisations. */
const everybody = (): Promise<Record<string, unknown>[]> =>
  asOwner(stack, 'SELECT * FROM users ORDER BY organisation_id, id');
const more = (count: number, first = 1_000): string =>
  Array.from({ length: count }, (_, at) => {
    const id = String(first + at);
    return `${id},1,Person ${id},hr,p${id}@more.example,More,,,active\n`;
  }).join('');

test.serial('DIR-1: many leavers at once are refused unless they are meant', async (t) => {
  const before = await everybody();
  const csv = (await exportedChart(stack, admin.key)).replaceAll(/^(5|6|8).*\n/gm, '');
  const { status, body } = await importForm(stack.apiUrl, admin.key, csv);
  t.is(status, 422);
  t.like(body, { code: 'too_many_deactivations', deactivated: 3, active_before: 12 });
  t.deepEqual(await everybody(), before);
  const dry = await importForm(stack.apiUrl, admin.key, csv, { query: '?dry_run=true' });
  t.like(dry.body, { refusal: 'too_many_deactivations', users_deactivated: 3 });
  const meant = await importForm(stack.apiUrl, admin.key, csv, { fields: { confirm_deactivations: 'true' } });
  t.is(meant.status, 201, JSON.stringify(meant.body));
  const back = await importForm(
    stack.apiUrl,
    admin.key,
    csv.concat(
      '5,4,Priya Lindqvist,finance,priya.lindqvist@example.com,Finance,,,active\n',
      '6,4,Owen Tashiro,finance,owen.tashiro@example.com,Finance,,,active\n',
      '8,7,Felix Amaro,legal,felix.amaro@example.org,Legal,,,active\n',
    ),
  );
  t.like(back.body, { users_reactivated: 3, users_created: 0, users_deactivated: 0 });
  const others = (rows: Record<string, unknown>[]): Record<string, unknown>[] =>
    rows.filter((row) => row['organisation_id'] === stack.other.organisationId);
  t.deepEqual(others(await everybody()), others(before));
});

test.serial('DIR-1: addresses change hands within one file', async (t) => {
  const csv = await exportedChart(stack, admin.key);
  const [tobias, owen] = ['tobias.renn@example.com', 'owen.tashiro@example.com'];
  const swapped = csv.replace(tobias, '·').replace(owen, tobias).replace('·', owen);
  const { status, body } = await importForm(stack.apiUrl, admin.key, swapped);
  t.is(status, 201, JSON.stringify(body));
  t.is(body.users_updated, 2);
  t.is((await importForm(stack.apiUrl, admin.key, csv)).body.users_updated, 2);
});

test.serial(
  'DIR-1: of imports at the same time one happens at a time, and the same file twice changes once',
  async (t) => {
    const csv = (await exportedChart(stack, admin.key)).concat(more(2_000));
    const answers = await Promise.all([1, 2, 3].map(() => importBody(stack.apiUrl, admin.key, csv)));
    const done = answers.filter(({ status }) => status === 201);
    t.true(done.length >= 1, JSON.stringify(answers.map(({ body }) => body.code)));
    t.is(
      done.reduce((sum, { body }) => sum + body.users_created, 0),
      2_000,
    );
    for (const { status, body } of answers)
      if (status !== 201) t.like({ status, code: body.code }, { status: 409, code: 'import_running' });
    const again = await importBody(stack.apiUrl, admin.key, csv);
    t.like(again.body, { users_created: 0, users_updated: 0, users_deactivated: 0, users_unchanged: 2_012 });
  },
);

test.serial('X-2: an import with the same key is answered again, and not done again', async (t) => {
  const csv = await exportedChart(stack, admin.key);
  const headers = { 'idempotency-key': 'import-once' };
  const first = await importForm(stack.apiUrl, admin.key, csv, { headers });
  const second = await importForm(stack.apiUrl, admin.key, csv, { headers });
  t.is(second.headers.get('idempotent-replayed'), 'true');
  t.is(first.body.import_id, second.body.import_id);
  t.is((await importForm(stack.apiUrl, admin.key, `${csv}\n`, { headers })).status, 422);
});

test.serial('DIR-1: what is no form, no CSV, not UTF-8 or too large is refused and changes nothing', async (t) => {
  const before = await everybody();
  const url = `${stack.apiUrl}/admin/org/import`;
  const send = async (
    body: string | Uint8Array<ArrayBuffer> | FormData,
    type?: string,
    query = '',
  ): Promise<[number, string]> => {
    const headers = { authorization: `Bearer ${admin.key}`, ...(type !== undefined && { 'content-type': type }) };
    const response = await fetch(url + query, { method: 'POST', headers, body });
    return [response.status, ((await response.json()) as { code: string }).code];
  };
  t.deepEqual(await send('{}', 'application/json'), [415, 'unsupported_media_type']);
  t.deepEqual(await send('x', 'multipart/form-data'), [400, 'malformed_body']);
  t.deepEqual(
    await send(
      '--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nuser',
      'multipart/form-data; boundary=b',
    ),
    [400, 'malformed_body'],
  );
  const other = new FormData();
  other.set('chart', new Blob(['x']), 'x.csv');
  t.deepEqual(await send(other), [400, 'malformed_body']);
  t.deepEqual(await send(Buffer.from([0xff, 0xfe, 0x00]), 'text/csv'), [400, 'malformed_body']);
  t.deepEqual(await send('', 'text/csv'), [400, 'invalid_org_chart']);
  t.deepEqual(await send(`${CHART_HEADER}\n`, 'text/csv', '?dry_run=perhaps'), [400, 'invalid_input']);
  const large = new FormData();
  large.set('file', new Blob([new Uint8Array(65 * 1024 * 1024).fill(0x61)]), 'large.csv');
  t.deepEqual(await send(large), [413, 'payload_too_large']);
  // The limit of other bodies stays what it was.
  const json = await admin.post('/tasks/route', { target: 'hr', type: 'x', description: 'x'.repeat(2 * 1024 * 1024) });
  t.is(json.status, 413);
  t.deepEqual(await everybody(), before);
});

test.serial(
  'DIR-1: an import whose process dies in the middle changed nothing, and hinders none that follows',
  async (t) => {
    t.timeout(120_000);
    const folder = mkdtempSync(path.join(tmpdir(), 'switchboard-import-'));
    t.teardown(() => rmSync(folder, { recursive: true, force: true }));
    const csv = (await exportedChart(stack, admin.key)).concat(more(30_000, 10_000));
    const file = path.join(folder, 'people.csv');
    writeFileSync(file, csv);
    const before = await everybody();
    const child = spawn(
      process.execPath,
      [path.join(ROOT, 'cli/main.ts'), 'import', file, '--organisation', stack.organisationId],
      {
        env: { ...process.env, SWITCHBOARD_DATABASE_URL: stack.databaseUrl },
        stdio: 'ignore',
      },
    );
    const ended = new Promise((resolve) => child.once('exit', resolve));
    t.teardown(() => child.kill('SIGKILL'));
    // Its transaction is under way when the lock of the directory is taken.
    await eventually(
      () =>
        asOwner(
          stack,
          "SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database())",
        ),
      (locks) => locks.length > 0,
      60_000,
    );
    t.is((await importForm(stack.apiUrl, admin.key, csv)).body.code, 'import_running');
    child.kill('SIGKILL');
    await ended;
    t.deepEqual(await everybody(), before);
    const after = await eventually(
      () =>
        importForm(stack.apiUrl, admin.key, (csv.match(/^(?!\d{5},).*\n/gm) ?? []).join(''), {
          query: '?dry_run=true',
        }),
      ({ status }) => status === 200,
    );
    t.is(after.body.users_unchanged, before.filter((row) => row['organisation_id'] === stack.organisationId).length);
    await asOwner(
      stack,
      "UPDATE directory_imports SET uploaded_at = now() - interval '1 hour' WHERE status = 'processing'",
    );
    const sweep = { workflowId: 'sweep-imports', taskQueue: stack.taskQueue };
    await stack.client.workflow.execute<DirectorySweepWorkflow>(DIRECTORY_SWEEP_WORKFLOW, sweep);
    const { body } = await admin.get<{ imports: { status: string; reason: string | null }[] }>(
      '/admin/org/imports?limit=200',
    );
    t.true(body.imports.some(({ status, reason }) => status === 'failed' && reason === 'interrupted'));
    t.false(body.imports.some(({ status }) => status === 'processing'));
  },
);

test.serial('COMPAT-2: tree, people by filter, and the profile as older clients assign it', async (t) => {
  const tree = (
    await admin.get<{ tree: { name: string; reports?: unknown[] }[]; total_users: number }>('/admin/org/tree')
  ).body;
  t.is(tree.tree[0]?.name, 'Helena Voss');
  t.true((tree.tree[0]?.reports?.length ?? 0) > 3);
  const names = async (query: string): Promise<unknown[]> =>
    (await admin.get<{ name: string }[]>(`/admin/users?${query}`)).body.map(({ name }) => name);
  t.deepEqual(await names('role=legal&sort=created'), ['Noor Halvorsen', 'Felix Amaro']);
  t.deepEqual(await names('department=Finance&q=owen'), ['Owen Tashiro']);
  t.deepEqual(await names('q=%25'), []);
  const first = await admin.get<{ id: string }[]>('/admin/users?limit=2&sort=created');
  const next = /<([^>]+)>/.exec(first.headers.get('link') ?? '')?.[1] ?? '';
  t.is((await admin.get<{ id: string }[]>(next)).body.length, 2);
  const assigned = await admin.post<Record<string, unknown>>('/admin/users/6/assign-profile', { profile: 'manager' });
  t.deepEqual(assigned.body, { success: true, error: null });
  const [owen] = (await admin.get<Record<string, unknown>[]>('/admin/users?q=Owen%20Tashiro')).body;
  t.like(owen, { employee_id: '6', profile: 'manager', role: 'finance' });
});
