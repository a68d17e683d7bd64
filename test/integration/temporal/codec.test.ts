import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import { WorkflowFailedError } from '@temporalio/client';
import test from 'ava';

import { approvalWorkflowId } from '../../../contracts/approval-workflow.ts';
import type { WirePayload } from '../../../contracts/codec.ts';
import { RECONCILE_WORKFLOW } from '../../../contracts/deliveries.ts';
import { taskWorkflowId } from '../../../contracts/task-workflow.ts';
import { createClaimStore } from '../../../db/payload-claims.ts';
import { newId } from '../../../platform/ids.ts';
import { findTemporalCli } from '../../../temporal/cli-binary.ts';
import { sealingOf } from '../../../temporal/codec.ts';
import { connectTemporal } from '../../../temporal/connection.ts';
import { createDataConverter } from '../../../temporal/data-converter.ts';
import { fromWire, toWire } from '../../../temporal/remote-codec.ts';
import { callerOf } from '../../support/caller.ts';
import type { Body, Caller } from '../../support/caller.ts';
import { testServers } from '../../support/environment.ts';
import { mapPayloads } from '../../support/history-payloads.ts';
import type { HistoryJson } from '../../support/history-payloads.ts';
import { eventually, rest } from '../../support/rest.ts';
import { asOwner } from '../../support/scene.ts';
import { startStack } from '../../support/stack.ts';
import type { TestStack } from '../../support/stack.ts';

const run = promisify(execFile);

let stack: TestStack;
let cli: string;
test.before(async (t) => {
  t.timeout(120_000);
  [stack, cli] = await Promise.all([startStack(), findTemporalCli()]);
});
test.after.always(() => stack.close());

const by = (name: string): Caller => callerOf(stack, name);
const key = (name: string): string => stack.keys[name] ?? '';
const ADMINISTRATOR = 'Helena Voss';
async function good(answer: Promise<{ status: number; body: Body }>): Promise<Body> {
  const { status, body } = await answer;
  if (status >= 300) throw new Error(`${String(status)} ${JSON.stringify(body)}`);
  return body;
}
const sendTask = async (): Promise<string> =>
  (await good(by('finance-agent').post('/tasks/route', { target: by('hr-agent').id, type: 'x' }))).task_id;
const flow = (taskId: string): string => taskWorkflowId(stack.organisationId, taskId);

async function historyOf(workflowId: string): Promise<HistoryJson> {
  const history = await stack.client.workflow.getHandle(workflowId).fetchHistory();
  return JSON.parse(historyToJSON(history)) as HistoryJson;
}
async function payloadsOf(workflowId: string): Promise<WirePayload[]> {
  const payloads: WirePayload[] = [];
  await mapPayloads(await historyOf(workflowId), (payload) => Promise.resolve((payloads.push(payload), payload)));
  return payloads;
}
const decode = (name: string, payloads: readonly WirePayload[], headers: Record<string, string> = {}) =>
  rest<{ payloads: WirePayload[]; detail: string; code: string }>(stack.apiUrl, key(name), 'POST', '/codec/decode', {
    body: { payloads },
    headers,
  });
const textOf = (payload: WirePayload | undefined): string => Buffer.from(payload?.data ?? '', 'base64').toString();

/** The Temporal CLI, as an operator runs it. */
async function temporal(...args: string[]): Promise<string> {
  const { address, namespace } = testServers().temporal;
  const { stdout } = await run(cli, [...args, '--address', address, '--namespace', namespace, '--disable-config-file']);
  return stdout;
}
const withCodec = (name: string): string[] => [
  ...['--codec-endpoint', `${stack.apiUrl}/codec`, '--codec-auth', `Bearer ${key(name)}`],
];

test('OPS-4: every payload of a history is encrypted for its organisation and bound to its workflow', async (t) => {
  const taskId = await sendTask();
  const to = by('hr-agent');
  await good(to.post(`/tasks/${taskId}/claim`));
  t.is((await to.post(`/tasks/${taskId}/cancel`, {})).status, 403);
  t.is((await to.post(`/tasks/${taskId}/claim`, {})).status, 409, 'a validator refuses');
  await good(to.post(`/tasks/${taskId}/complete`, { result: { done: true } }));
  await stack.client.workflow.getHandle(flow(taskId)).result();
  const payloads = await payloadsOf(flow(taskId));
  t.true(payloads.length >= 12, String(payloads.length));
  for (const payload of payloads)
    t.deepEqual(sealingOf(fromWire(payload)), {
      organisationId: stack.organisationId,
      version: 1,
      workflowId: flow(taskId),
    });
});

test('OPS-4: failures show neither message nor stack, and the client reads them', async (t) => {
  const workflowId = flow(newId('task'));
  await stack.client.workflow.start('task', { workflowId, taskQueue: stack.taskQueue, args: [{ wrong: 'value' }] });
  const error = await t.throwsAsync(stack.client.workflow.getHandle(workflowId).result(), {
    instanceOf: WorkflowFailedError,
  });
  t.regex(String(error.cause?.message), /organisation_id/);
  const text = JSON.stringify(await historyOf(workflowId));
  t.true(text.includes('Encoded failure'));
  t.false(/organisation_id|desk\.ts|at async/.test(text));
});

test('OPS-4: upkeep of all organisations is encrypted under the key of the system', async (t) => {
  const workflowId = `reconcile-test-${newId('delivery')}`;
  await stack.client.workflow.execute(RECONCILE_WORKFLOW, { workflowId, taskQueue: stack.taskQueue });
  const payloads = await payloadsOf(workflowId);
  t.true(payloads.length > 0);
  for (const payload of payloads) t.is(sealingOf(fromWire(payload))?.organisationId, 'system');
  t.is((await decode(ADMINISTRATOR, payloads)).status, 403);
});

test('OPS-4: payloads above the threshold wait in the database, encrypted, and come back by a reference', async (t) => {
  const { connection, client } = await connectTemporal({
    ...testServers().temporal,
    dataConverter: createDataConverter(stack.historyKeys, createClaimStore(stack.database)),
  });
  t.teardown(() => connection.close());
  const workflowId = flow(newId('task'));
  const large = 'x'.repeat(300 * 1024);
  await client.workflow.start('task', { workflowId, taskQueue: stack.taskQueue, args: [{ wrong: large }] });
  // The worker fetches it, decrypts it and finds it wrong.
  const error = await t.throwsAsync(client.workflow.getHandle(workflowId).result(), {
    instanceOf: WorkflowFailedError,
  });
  t.regex(String(error.cause?.message), /organisation_id/);
  const history = JSON.stringify(await historyOf(workflowId));
  t.true(history.length < 20_000, String(history.length));
  const [reference] = await payloadsOf(workflowId);
  t.regex(Buffer.from(reference?.metadata?.['messageType'] ?? '', 'base64').toString(), /ExternalStorageReference/);
  const rows = await asOwner<{ payload: Buffer }>(stack, 'SELECT payload FROM payload_claims');
  t.is(rows.length, 1);
  t.false(rows[0]?.payload.includes('xxxxxxxx') ?? true);
  const { status, body } = await decode(ADMINISTRATOR, reference ? [reference] : []);
  t.is(status, 200, body.detail);
  t.true(textOf(body.payloads[0]).includes('xxxxxxxx'));
});

test('OPS-4: the codec endpoint decodes for administrators of the organisation only, and records each call', async (t) => {
  const taskId = await sendTask();
  const payloads = await payloadsOf(flow(taskId));
  const answer = await decode(ADMINISTRATOR, payloads, { 'x-namespace': 'default', 'x-trace-id': 'codec-by-admin' });
  t.is(answer.status, 200);
  t.true(answer.body.payloads.some((payload) => textOf(payload).includes(taskId)));
  for (const name of ['finance-agent', 'Ines Calder']) {
    const refused = await decode(name, payloads);
    t.deepEqual([refused.status, refused.body.code], [403, 'forbidden'], name);
  }
  t.is((await rest(stack.apiUrl, undefined, 'POST', '/codec/decode', { body: { payloads } })).status, 401);
  const foreign = await rest<Body>(stack.apiUrl, stack.other.keys[ADMINISTRATOR], 'POST', '/codec/decode', {
    body: { payloads },
  });
  t.is(foreign.status, 403, 'an administrator of another organisation');
  const [event] = await asOwner<{ details: object; actor_id: string; action: string }>(
    stack,
    "SELECT action, actor_id, details FROM audit_events WHERE trace_id = 'codec-by-admin'",
  );
  t.deepEqual(event, {
    action: 'history.decoded',
    actor_id: stack.ids[ADMINISTRATOR] ?? '',
    details: { payloads: payloads.length },
  });
  const refusals = await asOwner(stack, "SELECT 1 FROM audit_events WHERE action = 'history.refused'");
  t.true(refusals.length >= 1);
});

test('OPS-4: the codec endpoint passes plain payloads, encrypts, and refuses what was changed', async (t) => {
  const plain = toWire({ metadata: { encoding: Buffer.from('json/plain') }, data: Buffer.from('{"a":1}') });
  const passed = await decode(ADMINISTRATOR, [plain]);
  t.deepEqual(passed.body.payloads, [plain]);
  const encoded = await rest<{ payloads: WirePayload[] }>(stack.apiUrl, key(ADMINISTRATOR), 'POST', '/codec/encode', {
    body: { payloads: [plain] },
  });
  t.is(encoded.status, 200);
  const [sealed] = encoded.body.payloads;
  t.false(textOf(sealed).includes('"a"'));
  t.deepEqual((await decode(ADMINISTRATOR, sealed ? [sealed] : [])).body.payloads, [plain]);
  const data = Buffer.from(sealed?.data ?? '', 'base64');
  data[15] = (data[15] ?? 0) ^ 1;
  const refused = await decode(ADMINISTRATOR, [{ ...sealed, data: data.toString('base64') }]);
  t.deepEqual([refused.status, refused.body.code], [400, 'invalid_input']);
  t.regex(refused.body.detail, /cannot be opened: it was changed/);
  for (const body of [{ payloads: [{ data: 'not base64!' }] }, { payloads: 1 }, { payloads: [], more: 1 }])
    t.is((await rest(stack.apiUrl, key(ADMINISTRATOR), 'POST', '/codec/decode', { body })).status, 400);
});

test('OPS-4: only the origin of the Web UI may call the codec endpoint from a browser', async (t) => {
  const ask = (origin: string, path = '/codec/decode') =>
    rest(stack.apiUrl, undefined, 'OPTIONS', path, { headers: { origin, 'access-control-request-method': 'POST' } });
  const allowed = await ask('http://ui.example');
  t.is(allowed.status, 204);
  t.is(allowed.headers.get('access-control-allow-origin'), 'http://ui.example');
  t.regex(allowed.headers.get('access-control-allow-headers') ?? '', /authorization.*x-namespace/);
  t.is((await ask('http://evil.example')).headers.get('access-control-allow-origin'), null);
  t.is((await ask('http://ui.example', '/tasks')).headers.get('access-control-allow-origin'), null);
  const answer = await decode(ADMINISTRATOR, [], { origin: 'http://ui.example' });
  t.is(answer.headers.get('access-control-allow-origin'), 'http://ui.example');
});

test('OPS-4: an administrator signs in for the Web UI of a development server, which sends a cookie', async (t) => {
  const signIn = (name: string) =>
    fetch(`${stack.apiUrl}/codec/sign-in`, { method: 'POST', body: new URLSearchParams({ key: key(name) }) });
  t.is((await fetch(`${stack.apiUrl}/codec/sign-in`)).status, 200);
  t.is((await signIn('finance-agent')).status, 403);
  t.is((await signIn('nobody')).status, 401);
  const cookie = (await signIn(ADMINISTRATOR)).headers.get('set-cookie') ?? '';
  t.regex(cookie, /; Path=\/codec; .*HttpOnly; SameSite=Strict/);
  const payloads = await payloadsOf(flow(await sendTask()));
  const ask = (origin: string) =>
    rest(stack.apiUrl, undefined, 'POST', '/codec/decode', {
      body: { payloads },
      headers: { cookie: cookie.split(';')[0] ?? '', origin },
    });
  t.is((await ask('http://ui.example')).status, 200);
  t.is((await ask('http://evil.example')).status, 401);
});

test('OPS-4: an operator reads histories with the Temporal CLI and the codec endpoint, and not without', async (t) => {
  const taskId = await sendTask();
  const show = ['workflow', 'show', '--workflow-id', flow(taskId), '--output', 'json'];
  t.false((await temporal(...show)).includes(by('finance-agent').id));
  const shown = await temporal(...show, ...withCodec(ADMINISTRATOR));
  t.true(shown.includes(Buffer.from('json/plain').toString('base64')) || shown.includes(by('finance-agent').id));
  const query = ['workflow', 'query', '--workflow-id', flow(taskId), '--type', 'state', '--output', 'json'];
  t.true((await temporal(...query, ...withCodec(ADMINISTRATOR))).includes('"pending"'));
  t.false((await temporal(...query)).includes('pending'));
});

test('APPR-3, OPS-4: an operator decides by a plain signal of the Temporal CLI, and cancels', async (t) => {
  const [from, manager] = [by('finance-agent'), by('Ines Calder')];
  const { approval_id } = await good(from.post('/approvals', { subject: 's', approvers: { users: [manager.id] } }));
  const workflowId = approvalWorkflowId(stack.organisationId, approval_id);
  const input = JSON.stringify({ decision: 'approve', user_id: manager.id });
  await temporal('workflow', 'signal', '--workflow-id', workflowId, '--name', 'decision', '--input', input);
  const status = await eventually(
    async () => (await from.get(`/approvals/${approval_id}`)).body.status,
    (seen) => seen === 'approved',
  );
  t.is(status, 'approved');
  const again = await good(from.post('/approvals', { subject: 's', approvers: { users: [manager.id] } }));
  const other = approvalWorkflowId(stack.organisationId, again.approval_id);
  const signal = ['workflow', 'signal', '--workflow-id', other, '--name', 'decision', '--input', input];
  await temporal(...signal, ...withCodec(ADMINISTRATOR));
  await eventually(
    async () => (await from.get(`/approvals/${again.approval_id}`)).body.status,
    (seen) => seen === 'approved',
  );
  const plain = (await payloadsOf(other)).filter((payload) => sealingOf(fromWire(payload)) === undefined);
  t.deepEqual(plain, [], 'with the endpoint, the CLI encrypts what it sends');
  const taskId = await sendTask();
  await temporal('workflow', 'cancel', '--workflow-id', flow(taskId));
  await eventually(
    async () => (await from.get(`/tasks/${taskId}`)).body.status,
    (status) => status === 'cancelled',
  );
});
