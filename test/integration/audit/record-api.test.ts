import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

import test from 'ava';

import { auditKeysFile, signingKey, verificationKeys } from '../../../db/audit/keys.ts';
import type { Jwks } from '../../../db/audit/keys.ts';
import { readExportLine } from '../../../db/audit/export-file.ts';
import { Receipt, verifyReceipt } from '../../../db/audit/receipt.ts';
import { startSealer } from '../../../db/audit/sealer.ts';
import type { Sealer } from '../../../db/audit/sealer.ts';
import { verifyRecord } from '../../../db/audit/verifier.ts';
import { createLogger } from '../../../platform/log.ts';
import { callerOf } from '../../support/caller.ts';
import type { Caller } from '../../support/caller.ts';
import { startStack } from '../../support/stack.ts';
import type { TestStack } from '../../support/stack.ts';

let stack: TestStack;
let sealer: Sealer;
test.before(async (t) => {
  t.timeout(180_000);
  stack = await startStack();
  const keys = auditKeysFile(stack.folder);
  const log = createLogger({ name: 'test', level: 'silent' });
  sealer = startSealer({
    database: stack.database,
    signer: () => signingKey(keys),
    log,
    pollMs: 50,
    checkpointAfterMs: 200,
  });
});
test.after.always(async () => {
  await sealer.stop();
  await stack.close();
});

const by = (name: string): Caller => callerOf(stack, name);
const run = promisify(execFile);
const root = path.resolve(import.meta.dirname, '../../..');

/** The command as a user runs it; answers its exit code and what it said. */
async function audit(...args: string[]): Promise<{ readonly code: number; readonly text: string }> {
  const env = { ...process.env, SWITCHBOARD_DATABASE_URL: stack.databaseUrl, SWITCHBOARD_DATA_DIR: stack.folder };
  try {
    const { stdout } = await run(process.execPath, ['cli/main.ts', 'audit', ...args], {
      cwd: root,
      env,
      maxBuffer: 1e9,
    });
    return { code: 0, text: stdout };
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
    return { code, text: stdout + stderr };
  }
}

/** An export as text; `rest` would take it for one JSON document. */
const exportOf = (caller: Caller): Promise<Response> =>
  fetch(`${stack.apiUrl}/audit/export`, { headers: { authorization: `Bearer ${caller.key}` } });

const keysOf = async () => verificationKeys((await by('Helena Voss').get<Jwks>('/audit/keys')).body);

/** A task whose action is approved, run and reported; answers both ids. */
async function decidedLife(): Promise<{ readonly task: string; readonly approval: string }> {
  const [finance, manager] = [by('finance-agent'), by('Helena Voss')];
  const { body } = await finance.post('/tasks/route', {
    target: by('hr-agent').id,
    type: 'pay',
    payload: { mail: 'ann@example.com' },
  });
  const task = body.task_id;
  await by('hr-agent').post(`/tasks/${task}/claim`);
  const action = { tool: 'pay', arguments: { amount: 10 } };
  const asked = await by('hr-agent').post('/approvals', {
    task_id: task,
    reason: 'pay ann@example.com',
    approvers: { users: [manager.id] },
    action,
  });
  const approval = asked.body.approval_id;
  const decided = await manager.post(`/approvals/${approval}/respond`, { decision: 'approve' });
  if (decided.status !== 200) throw new Error(JSON.stringify([asked.body, decided.body]));
  const redeemed = await by('hr-agent').post(`/approvals/${approval}/redeem`, { action });
  if (redeemed.status !== 200) throw new Error(JSON.stringify(redeemed.body));
  await by('hr-agent').post(`/tasks/${task}/complete`, { result: { paid: true } });
  return { task, approval };
}

test('AUD-3: proposed, approved, executed and returned are separate events, and one receipt proves them offline', async (t) => {
  t.timeout(60_000);
  const { task, approval } = await decidedLife();
  const administrator = by('Helena Voss');
  const keys = await keysOf();
  for (const id of [approval, task]) {
    const answer = await administrator.get(`/audit/receipts/${id}`);
    t.is(answer.status, 200, JSON.stringify(answer.body));
    const receipt = Receipt.parse(answer.body);
    const actions = receipt.events.map(({ event }) => event['action']);
    const wanted = ['approval.requested', 'approval.decided', 'approval.redeemed', 'task.completed'];
    t.deepEqual(
      actions.filter((action) => wanted.includes(String(action))),
      wanted,
      `${id}: ${actions.join(', ')}`,
    );
    t.like(receipt.events.find(({ event }) => event['action'] === 'approval.decided')?.event, {
      details: { status: 'approved' },
    });
    t.deepEqual(await verifyReceipt(receipt, keys), []);
    t.false(JSON.stringify(receipt).includes('ann@example.com'));
  }
});

test('AUD-3: a receipt that was changed in any place does not hold', async (t) => {
  t.timeout(60_000);
  const { approval } = await decidedLife();
  const receipt = Receipt.parse((await by('Helena Voss').get(`/audit/receipts/${approval}`)).body);
  const keys = await keysOf();
  const changed = async (change: (copy: Receipt) => void): Promise<number> => {
    const copy = structuredClone(receipt);
    change(copy);
    return (await verifyReceipt(copy, keys)).length;
  };
  const first = <T>([one]: readonly T[]): T => one as T;
  t.is(await changed(() => undefined), 0);
  for (const column of Object.keys(first(receipt.events).event))
    t.true((await changed((copy) => (first(copy.events).event[column] = 'other'))) > 0, column);
  for (const field of ['event_id', 'event_digest', 'previous', 'hash', 'sealed_at', 'position'] as const)
    t.true((await changed((copy) => (first(copy.events).entry[field] = 'ab'.repeat(32)))) > 0, field);
  t.true((await changed((copy) => (first(copy.events).entry.index += 1))) > 0);
  t.true((await changed((copy) => (first(copy.events).proof.path[0] = 'ab'.repeat(32)))) > 0);
  t.true((await changed((copy) => (copy.organisation = stack.other.organisationId))) > 0);
  t.true((await changed((copy) => copy.checkpoints.splice(0, 1, 'no.such.thing'))) > 0);
  t.true((await verifyReceipt(receipt, new Map())).length > 0, 'without the key');
});

test('AUD-3: only who may read the record gets receipts and exports, and only of the own organisation', async (t) => {
  const { approval } = await decidedLife();
  for (const path of [`/audit/receipts/${approval}`, '/audit/export'])
    for (const name of ['finance-agent', 'Ines Calder'])
      t.is((await by(name).get(path)).status, 403, `${name} ${path}`);
  const foreign = callerOf(stack, 'Helena Voss', 'other');
  t.is((await foreign.get(`/audit/receipts/${approval}`)).status, 404);
  const exported = await (await exportOf(foreign)).text();
  t.false(exported.includes(stack.organisationId));
  t.is((await fetch(`${stack.apiUrl}/audit/export`)).status, 401);
  const keys = await fetch(`${stack.apiUrl}/audit/keys`);
  t.is(keys.status, 200, 'public');
  t.false((await keys.text()).includes('"d"'));
  for (const bad of [
    '/audit/receipts/appr_1',
    '/audit/export?from=yesterday',
    '/audit/export?form=1',
    '/audit/export?to=2026-13-01',
  ])
    t.is((await by('Helena Voss').get(bad)).status, 400, bad);
});

test('AUD-2: the record is exported as ndjson, verifies offline, and a changed line is named', async (t) => {
  t.timeout(120_000);
  const administrator = by('Helena Voss');
  const events = Array.from({ length: 1_000 }, (_, at) => ({
    source: 'erp',
    category: 'c',
    action: 'a',
    id: `x${String(at)}`,
  }));
  t.is((await administrator.post('/audit/ingest', { events })).status, 202);
  const [{ id } = { id: '' }] = (await administrator.get('/audit?action=a&limit=1')).body.events as { id: string }[];
  t.is((await administrator.get(`/audit/receipts/${id}`)).status, 200, 'it is signed by then');
  const answer = await exportOf(administrator);
  t.is(answer.headers.get('content-type'), 'application/x-ndjson');
  const text = await answer.text();
  const items = text
    .trimEnd()
    .split('\n')
    .map((line) => readExportLine(line));
  t.true(items.every((item) => item !== undefined));
  t.true(items.filter((item) => item?.type === 'entry').length >= 1_000);
  const keys = await keysOf();
  const findings: unknown[] = [];
  await verifyRecord(
    items.filter((item) => item !== undefined),
    { keys, onFinding: (finding) => findings.push(finding) },
  );
  t.deepEqual(findings, []);

  const [file, jwks] = [path.join(stack.folder, 'export.ndjson'), path.join(stack.folder, 'keys.json')];
  writeFileSync(jwks, (await audit('keys')).text);
  writeFileSync(file, text);
  const whole = await audit('verify', '--file', file, '--keys', jwks);
  t.is(whole.code, 0, whole.text);
  t.regex(whole.text, /holds/);
  writeFileSync(file, text.replace('"source":"erp"', '"source":"crm"'));
  const changed = await audit('verify', '--file', file, '--keys', jwks);
  t.is(changed.code, 1);
  t.regex(changed.text, /FOUND {2}event_changed: Event evt_\S+ at position \d+ was changed/);
  writeFileSync(file, text.slice(0, text.length / 2));
  t.is((await audit('verify', '--file', file, '--keys', jwks)).code, 1);
});

test('AUD-1, AUD-3: the command verifies the database, exports, and makes and checks receipts', async (t) => {
  t.timeout(120_000);
  const { approval } = await decidedLife();
  const [receipt, jwks, file] = ['receipt.json', 'own-keys.json', 'own.ndjson'].map((name) =>
    path.join(stack.folder, name),
  );
  writeFileSync(jwks ?? '', (await audit('keys')).text);
  t.like(await audit('receipt', approval, '--out', receipt ?? ''), { code: 0 });
  const checked = await audit('receipt', '--verify', receipt ?? '', '--keys', jwks ?? '');
  t.is(checked.code, 0, checked.text);
  t.regex(
    checked.text,
    /approval\.requested[^]*approval\.decided[^]*approval\.redeemed[^]*task\.completed[^]*the receipt holds/,
  );
  t.like(await audit('export', '--organisation', stack.organisationId, '--out', file ?? ''), { code: 0 });
  t.is((await audit('verify', '--file', file ?? '')).code, 0);
  const verified = await audit('verify');
  t.is(verified.code, 0, verified.text);
  t.is(verified.text.trim().split('\n').length, 2, 'a line for each organisation');
  t.like(await audit('receipt', 'appr_00000000-0000-7000-8000-000000000000'), { code: 1 });
  t.is((await audit('nonsense')).code, 2);
  t.regex((await audit('retain')).text, /Everything is kept/);
});
