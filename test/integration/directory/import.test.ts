import test from 'ava';

import { callerOf } from '../../support/caller.ts';
import type { Caller } from '../../support/caller.ts';
import { CHART_HEADER, exportedChart, importBody, importForm } from '../../support/org-files.ts';
import { rest } from '../../support/rest.ts';
import { asOwner } from '../../support/scene.ts';
import { startStack } from '../../support/stack.ts';
import type { TestStack } from '../../support/stack.ts';

let stack: TestStack;
let admin: Caller;
test.before(async (t) => {
  t.timeout(180_000);
  stack = await startStack();
  admin = callerOf(stack, 'Helena Voss');
});
test.after.always(() => stack.close());

const people = async (): Promise<Record<string, unknown>[]> =>
  asOwner(
    stack,
    'SELECT external_id, name, email, role, active, manager_id, title, version FROM users WHERE organisation_id = $1 ORDER BY id',
    [stack.organisationId],
  );

test.serial('DIR-1: the exported chart imported again changes nothing', async (t) => {
  const before = await people();
  const csv = await exportedChart(stack, admin.key);
  t.true(csv.startsWith(CHART_HEADER), csv);
  const { status, body } = await importForm(stack.apiUrl, admin.key, csv);
  t.is(status, 201, JSON.stringify(body));
  t.like(body, {
    status: 'complete',
    filename: 'people.csv',
    users_created: 0,
    users_updated: 0,
    users_deactivated: 0,
    users_unchanged: 12,
  });
  t.deepEqual(await people(), before);
  const { body: list } = await admin.get<{ imports: Record<string, unknown>[]; total: number }>('/admin/org/imports');
  t.like(list.imports[0], { id: body.import_id, status: 'complete', uploaded_by: admin.id, users_created: 0 });
});

test.serial('DIR-1: a dry run changes nothing, and its diff is what the import then does', async (t) => {
  const csv = (await exportedChart(stack, admin.key))
    .replace('Lucia Petrov,analyst', 'Lucia Petrova,legal')
    .replace(/^12,.*\n/m, '')
    .concat('99,2,=HYPERLINK(1),hr,new@example.com,People,,,active\n');
  const before = await people();
  const dry = await importForm(stack.apiUrl, admin.key, csv, { fields: { dry_run: 'true' } });
  t.is(dry.status, 200, JSON.stringify(dry.body));
  t.like(dry.body, { import_id: null, users_created: 1, users_updated: 1, users_deactivated: 1, users_unchanged: 10 });
  t.deepEqual(await people(), before);
  t.deepEqual(
    dry.body.diff.map(({ user_id, change }) => `${user_id} ${change}`),
    ['99 added', '11 changed', '12 deactivated'],
  );
  t.deepEqual(dry.body.diff[1]?.before, { name: 'Lucia Petrov', role: 'analyst' });
  t.deepEqual(dry.body.diff[1]?.after, { name: 'Lucia Petrova', role: 'legal' });
  const done = await importBody(stack.apiUrl, admin.key, csv);
  t.is(done.status, 201, JSON.stringify(done.body));
  t.like(done.body, { users_created: 1, users_updated: 1, users_deactivated: 1, users_unchanged: 10 });
  const again = await importForm(stack.apiUrl, admin.key, csv, { query: '?dry_run=true' });
  t.deepEqual(again.body.diff, []);
  t.is(again.body.digest, done.body.digest);
  t.regex(await exportedChart(stack, admin.key), /^99,2,'=HYPERLINK\(1\),hr/m);
});

test.serial('DIR-1: faults are told with row and column, kept without values, and change nothing', async (t) => {
  const before = await people();
  const csv = [
    CHART_HEADER,
    '1,,Boss,chief,boss@example.com,Board',
    '2,1,Ada,finance,boss@example.com,Money',
    '2,1,Eve,legal,eve@example.com,Law,more',
  ].join('\n');
  const { status, body } = await importForm(stack.apiUrl, admin.key, csv);
  t.is(status, 400);
  t.is(body.code, 'invalid_org_chart');
  t.deepEqual(
    body.faults.map(({ row, column }) => `${String(row)} ${column ?? '-'}`),
    ['2 role', '4 -'],
  );
  t.deepEqual(await people(), before);
  const kept = await admin.get<Record<string, unknown>>(`/admin/org/imports/${body.import_id ?? ''}`);
  t.like(kept.body, { status: 'failed', reason: 'invalid_org_chart', fault_count: 2, faults: body.faults });
});

test.serial('DIR-1: only administrators import, and ids of others are not found', async (t) => {
  const csv = `${CHART_HEADER}\n1,,A,hr,a@example.com,D`;
  for (const name of ['Priya Lindqvist', 'finance-agent']) {
    const { key } = callerOf(stack, name);
    t.is((await importForm(stack.apiUrl, key, csv)).status, 403);
    for (const path of ['/admin/org/imports', '/admin/org/tree', '/admin/users', '/admin/org/export'])
      t.is((await rest(stack.apiUrl, key, 'GET', path)).status, 403, path);
  }
  const other = callerOf(stack, 'Helena Voss', 'other');
  t.is((await other.get(`/admin/users/${admin.id}`)).status, 404);
  t.is((await other.put(`/admin/users/${admin.id}`, { role: 'hr' })).status, 404);
  const { body } = await admin.get<{ imports: { id: string }[] }>('/admin/org/imports');
  t.is((await other.get(`/admin/org/imports/${body.imports[0]?.id ?? ''}`)).status, 404);
});
