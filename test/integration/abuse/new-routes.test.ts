import { request } from 'node:http';
import type { ClientRequest } from 'node:http';

import test from 'ava';

import { ACCESS_TOKEN, EXCHANGE } from '../../../api/token-service/form.ts';
import { saveAgentClient } from '../../../db/agent-clients.ts';
import { callerOf } from '../../support/caller.ts';
import { openForge } from '../../support/identity/forge.ts';
import { importBody } from '../../support/org-files.ts';
import { eventually, rest } from '../../support/rest.ts';
import { startStack } from '../../support/stack.ts';
import type { TestStack } from '../../support/stack.ts';

const BURST = 10;
const few = { limits: { requestsPerSecond: 1, requestsBurst: BURST }, worker: false };

/** The answers of so many calls, made one after the other. */
async function repeated<T>(times: number, call: () => Promise<T>): Promise<T[]> {
  const answers: T[] = [];
  for (let at = 0; at < times; at += 1) answers.push(await call());
  return answers;
}

test('OPS-2: SCIM, the import and the tree of the chart take no more requests of one caller than any other route', async (t) => {
  const stack = await startStack(few);
  t.teardown(() => stack.close());
  const { key } = callerOf(stack, 'Helena Voss');
  const read = (path: string) => rest<Record<string, unknown>>(stack.apiUrl, key, 'GET', path);
  const scim = (await repeated(BURST + 3, () => read('/scim/v2/Users?count=1'))).at(-1);
  t.is(scim?.status, 429);
  t.truthy(scim?.headers.get('retry-after'));
  t.like(scim?.body, { status: '429' });
  for (const path of ['/admin/org/tree', '/admin/org/export', '/agents', '/policy/organisation', '/recipes'])
    t.is((await repeated(3, () => read(path))).at(-1)?.status, 429, path);
  const imported = await repeated(3, () => importBody(stack.apiUrl, key, 'user_id\n', '?dry_run=true'));
  t.is(imported.at(-1)?.status, 429);
  const other = callerOf(stack, 'finance-agent');
  t.is((await other.get('/me')).status, 200, 'others are served');
});

/** Begins to send an org chart, and does not go on. */
function begun(stack: TestStack, key: string): ClientRequest {
  const sending = request(`${stack.apiUrl}/admin/org/import?dry_run=true`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'text/csv' },
  });
  sending.on('error', () => undefined);
  sending.write('user_id,reports_to_id,name,role,email,department\n');
  return sending;
}

test('OPS-2: one caller sends four org charts at a time, no more; who has ended makes room', async (t) => {
  const stack = await startStack({ worker: false });
  t.teardown(() => stack.close());
  const { key } = callerOf(stack, 'Helena Voss');
  // More than may be: whichever four come first stay, also where one that asks comes in between.
  const sending = Array.from({ length: 8 }, () => begun(stack, key));
  t.teardown(() => sending.forEach((one) => one.destroy()));
  const ask = () => importBody(stack.apiUrl, key, 'user_id\n', '?dry_run=true');
  const refused = await eventually(ask, ({ status }) => status === 429);
  t.regex(refused.body.detail, /You hold 4 imports open/);
  t.not(
    (await importBody(stack.apiUrl, callerOf(stack, 'Helena Voss', 'other').key, 'x', '?dry_run=true')).status,
    429,
  );
  for (const one of sending) one.destroy();
  t.is((await eventually(ask, ({ status }) => status !== 429)).status, 400);
});

test('OPS-2, IDN-2: good exchanges and revocations count as requests; tokens tried at random are stopped there too', async (t) => {
  const forge = await openForge();
  const stack = await startStack({ ...few, identity: { issuer: forge.issuer } });
  t.teardown(async () => {
    await stack.close();
    await forge.close();
  });
  const client = { client_id: 'support-agent', agent_id: stack.ids['support-agent'] ?? '' };
  await stack.database.inOrganisation(stack.organisationId, (sql) => saveAgentClient(sql, forge.issuer, client));
  const form = async (path: string, fields: Record<string, string>): Promise<number> => {
    const response = await fetch(stack.apiUrl + path, { method: 'POST', body: new URLSearchParams(fields) });
    await response.text();
    return response.status;
  };
  const fields = {
    grant_type: EXCHANGE,
    subject_token: await forge.sign({
      organisation: stack.organisationId,
      sub: 'felix',
      email: 'felix.amaro@example.org',
      email_verified: true,
    }),
    subject_token_type: ACCESS_TOKEN,
    actor_token: await forge.sign({ sub: 'support-agent', client_id: 'support-agent' }),
    actor_token_type: ACCESS_TOKEN,
  };
  const exchanged = await repeated(BURST + 3, () => form('/oauth/token', fields));
  t.is(exchanged[0], 200);
  t.is(exchanged.at(-1), 429);
  const guesses = await repeated(63, () => form('/oauth/revoke', { token: 'guess' }));
  t.deepEqual([...new Set(guesses)], [200, 429]);
});

test('OPS-2, IDN-1: who begins sign-ins without end is stopped', async (t) => {
  const forge = await openForge();
  const stack = await startStack({ worker: false, identity: { issuer: forge.issuer } });
  t.teardown(async () => {
    await stack.close();
    await forge.close();
  });
  const login = async (): Promise<number> => {
    const response = await fetch(`${stack.apiUrl}/auth/login`, { redirect: 'manual' });
    await response.text();
    return response.status;
  };
  const statuses: number[] = [];
  for (let lot = 0; lot < 31; lot += 1) statuses.push(...(await Promise.all(Array.from({ length: 10 }, login))));
  t.not(statuses[0], 429);
  t.is(statuses.at(-1), 429);
});
