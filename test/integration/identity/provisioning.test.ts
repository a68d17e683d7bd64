import test from 'ava';

import { operations } from '../../../contracts/index.ts';
import { plainRoutes } from '../../../contracts/plain-routes.ts';
import { saveServiceClient } from '../../../db/agent-clients.ts';
import { addProvisioningToken, revokeProvisioningToken } from '../../../db/provisioning-tokens.ts';
import { newProvisioningToken } from '../../../platform/api-key.ts';
import { openForge } from '../../support/identity/forge.ts';
import type { Forge } from '../../support/identity/forge.ts';
import { eventually, rest } from '../../support/rest.ts';
import { startStack } from '../../support/stack.ts';
import type { TestStack } from '../../support/stack.ts';

let stack: TestStack;
let forge: Forge;
test.before(async (t) => {
  t.timeout(180_000);
  forge = await openForge();
  stack = await startStack({ worker: false, identity: { staticKeys: false, issuer: forge.issuer } });
});
test.after.always(async () => {
  await stack.close();
  await forge.close();
});

const USER = 'urn:ietf:params:scim:schemas:core:2.0:User';
async function token(days = 365, organisation = stack.organisationId): Promise<{ key: string; id: string }> {
  const { key, keyId: id, hash } = newProvisioningToken();
  await stack.database.inOrganisation(organisation, (sql) =>
    addProvisioningToken(sql, { id, hash, createdBy: 'test', days }),
  );
  return { key, id };
}
const scim = <T>(key: string, method: string, path: string, body?: unknown, url = stack.apiUrl) =>
  rest<T>(url, key, method, `/scim/v2${path}`, {
    ...(body !== undefined && { body }),
    headers: { 'content-type': 'application/scim+json' },
  });
const usersSeenBy = (key: string, url?: string) => scim<{ totalResults: number }>(key, 'GET', '/Users', undefined, url);
const soon = async (t: { true(value: boolean): boolean }, look: () => Promise<number>, status: number) => {
  const began = Date.now();
  await eventually(look, (one) => one === status, 5_000);
  t.true(Date.now() - began < 5_000);
};

test('IDN-1, DIR-2: a provisioning token brings people in over SCIM while development keys are off', async (t) => {
  const { key, id } = await token();
  const made = await scim<{ id: string }>(key, 'POST', '/Users', {
    schemas: [USER],
    userName: 'nina@scim.example',
    name: { givenName: 'Nina', familyName: 'Okta' },
    emails: [{ primary: true, value: 'nina@scim.example' }],
    active: true,
  });
  t.is(made.status, 201);
  t.is((await scim(key, 'DELETE', `/Users/${made.body.id}`)).status, 204);
  const events = await stack.database.inOrganisation(stack.organisationId, (sql) =>
    sql.query<object>(`SELECT actor_kind, actor_id, actor_role FROM audit_events WHERE actor_id = $1`, [
      `service_${id}`,
    ]),
  );
  t.true(events.length > 0);
  for (const event of events)
    t.deepEqual(event, { actor_kind: 'service', actor_id: `service_${id}`, actor_role: null });
});

const address = (path: string): string =>
  path
    .replaceAll('{role}', 'support')
    .replaceAll('{name}', 'x')
    .replaceAll(/\{\w+\}/g, 'x');
test('IDN-1: every other route refuses a provisioning token', async (t) => {
  const { key } = await token();
  const routes = [...operations, ...plainRoutes.filter((one) => !one.public)];
  for (const { method, path } of routes.filter((one) => !one.path.startsWith('/scim/'))) {
    const body = method === 'get' || method === 'delete' ? {} : { body: {} };
    const { status } = await rest(stack.apiUrl, key, method.toUpperCase(), address(path), body);
    t.true(status === 403 || status === 401, `${method} ${path}: ${String(status)}`);
  }
  const form = { body: `key=${key}`, headers: { 'content-type': 'application/x-www-form-urlencoded' } };
  t.is((await rest(stack.apiUrl, undefined, 'POST', '/codec/sign-in', form)).status, 403);
});

test('IDN-1: a token reaches its own organisation alone', async (t) => {
  const [own, other] = [await token(), await token(365, stack.other.organisationId)];
  const [{ id }] = await stack.database
    .inOrganisation(stack.organisationId, (sql) => sql.query<{ id: string }>('SELECT id FROM users LIMIT 1'))
    .then((rows) => rows as [{ id: string }]);
  t.is((await scim(own.key, 'GET', `/Users/${id}`)).status, 200);
  t.is((await scim(other.key, 'GET', `/Users/${id}`)).status, 404);
  t.is((await scim(other.key, 'DELETE', `/Users/${id}`)).status, 404);
  const seen = await stack.database.inOrganisation(stack.organisationId, (sql) =>
    sql.query<object>('SELECT id FROM provisioning_tokens WHERE id = $1', [other.id]),
  );
  t.is(seen.length, 0);
});

test('IDN-1: a wrong secret, an unknown id, an expired token and one of another form are refused', async (t) => {
  const { key } = await token();
  const wrong = [`${key.slice(0, -1)}${key.endsWith('A') ? 'B' : 'A'}`, newProvisioningToken().key, 'sbp_x', `${key}x`];
  for (const one of [...wrong, (await token(0)).key]) {
    const { status, body } = await scim<{ status: string }>(one, 'GET', '/Users');
    t.is(status, 401);
    t.false(JSON.stringify(body).includes(one.slice(-20)), 'the answer quotes nothing of it');
  }
});

test('IDN-1: a token that is revoked ends in every process within five seconds', async (t) => {
  const { key, id } = await token();
  const second = await stack.serveApi();
  t.teardown(() => second.close());
  for (const url of [stack.apiUrl, second.url]) t.is((await usersSeenBy(key, url)).status, 200);
  t.true(await stack.database.inOrganisation(stack.organisationId, (sql) => revokeProvisioningToken(sql, id)));
  for (const url of [stack.apiUrl, second.url]) await soon(t, async () => (await usersSeenBy(key, url)).status, 401);
  t.false(await stack.database.inOrganisation(stack.organisationId, (sql) => revokeProvisioningToken(sql, id)));
});

test('IDN-1, DIR-2: a client that signs in for itself may be a service, whatever scopes its token has', async (t) => {
  const client = { client_id: 'entra-sync', service_id: 'service_entra', subject: null };
  const save = (organisation: string): Promise<boolean> =>
    stack.database.inOrganisation(organisation, (sql) => saveServiceClient(sql, forge.issuer, client));
  t.true(await save(stack.organisationId));
  t.false(await save(stack.other.organisationId), 'a client is one organisation’s');
  const claims = { sub: 'entra-sync', client_id: 'entra-sync', organisation: stack.organisationId };
  for (const scope of ['switchboard:read switchboard:write', '']) {
    const jwt = await forge.sign({ ...claims, scope });
    t.is((await usersSeenBy(jwt)).status, 200);
    t.is((await rest(stack.apiUrl, jwt, 'GET', '/me')).status, 403);
    t.is((await rest(stack.apiUrl, jwt, 'POST', '/tasks/route', { body: { target: 'hr', type: 'x' } })).status, 403);
  }
  const form = new URLSearchParams({
    grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
    subject_token: await forge.sign({ ...claims, scope: 'switchboard:write' }),
    subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
    actor_token: await forge.sign({ ...claims, scope: 'switchboard:write' }),
    actor_token_type: 'urn:ietf:params:oauth:token-type:access_token',
  });
  t.is((await fetch(`${stack.apiUrl}/oauth/token`, { method: 'POST', body: form })).status, 400);
  t.is((await usersSeenBy(await forge.sign({ ...claims, organisation: stack.other.organisationId }))).status, 401);
});

test('IDN-2: a token that may only read changes nobody over SCIM or by a file', async (t) => {
  const helena = { sub: 'helena', email: 'helena.voss@example.com', email_verified: true };
  const token = await forge.sign({ ...helena, organisation: stack.organisationId, scope: 'switchboard:read' });
  t.is((await usersSeenBy(token)).status, 200);
  const user = { schemas: [USER], userName: 'reader@scim.example' };
  t.is((await scim(token, 'POST', '/Users', user)).status, 403);
  const file = { body: 'user_id\n', headers: { 'content-type': 'text/csv' } };
  const imported = await rest<{ code: string }>(stack.apiUrl, token, 'POST', '/admin/org/import', file);
  t.is(imported.body.code, 'insufficient_scope');
});
