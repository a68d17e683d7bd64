import { execFile } from 'node:child_process';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';

import test from 'ava';

import { openForge } from '../../support/identity/forge.ts';
import type { Forge } from '../../support/identity/forge.ts';
import { eventually, rest } from '../../support/rest.ts';
import { startStack } from '../../support/stack.ts';
import type { TestStack } from '../../support/stack.ts';

const root = path.resolve(import.meta.dirname, '../../..');
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

/** The command as an operator runs it, on the stack's database. */
async function identity(...args: string[]): Promise<{ code: number; text: string }> {
  const env = {
    ...process.env,
    SWITCHBOARD_DATABASE_URL: stack.databaseUrl,
    SWITCHBOARD_DATA_DIR: stack.folder,
    SWITCHBOARD_OIDC_ISSUER: forge.issuer,
  };
  const command = [path.join(root, 'cli/main.ts'), 'identity', ...args, '--organisation', stack.organisationId];
  try {
    return { code: 0, text: (await promisify(execFile)(process.execPath, command, { env })).stdout };
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
    return { code, text: stdout + stderr };
  }
}
const recordOf = async (action: string): Promise<Record<string, unknown>[]> =>
  stack.database.inOrganisation(stack.organisationId, (sql) =>
    sql.query<Record<string, unknown>>(
      `SELECT actor_kind, actor_id, subject_id, details FROM audit_events WHERE action = $1 ORDER BY position`,
      [action],
    ),
  );
const operator = os.userInfo().username;
const users = async (token: string): Promise<number> =>
  (await rest(stack.apiUrl, token, 'GET', '/scim/v2/Users')).status;

test('IDN-1, AUD-1: a provisioning token is made, shown once, listed and revoked, each on record', async (t) => {
  t.timeout(60_000);
  const made = await identity('provisioning-token', '--days', '30');
  t.is(made.code, 0, made.text);
  const [, token = '', id = ''] = /^(sbp_([A-Za-z0-9]{12})_\S+)$/m.exec(made.text) ?? [];
  t.is(await users(token), 200);
  const listed = await identity('provisioning-token', '--list');
  t.regex(listed.text, new RegExp(`^${id}  made .* by ${operator}, expires `, 'm'));
  t.false(listed.text.includes(token));
  const stored = await stack.database.inOrganisation(stack.organisationId, (sql) =>
    sql.query<{ all: string }>('SELECT p::text AS all FROM provisioning_tokens p'),
  );
  t.false(JSON.stringify(stored).includes(token.slice(-43)), 'only a hash is kept');
  t.is((await identity('provisioning-token', '--revoke', id)).code, 0);
  await eventually(
    () => users(token),
    (status) => status === 401,
    5_000,
  );
  t.not((await identity('provisioning-token', '--revoke', id)).code, 0, 'there is nothing left to revoke');
  t.regex((await identity('provisioning-token', '--list')).text, /revoked /);
  t.regex((await identity('provisioning-token', '--days', '9999')).text, /from 1 to 730/);
  const who = { actor_kind: 'service', actor_id: 'switchboard', subject_id: `service_${id}` };
  t.deepEqual(await recordOf('identity.provisioning_token_added'), [
    { ...who, details: { token: id, days: 30, operator } },
  ]);
  t.deepEqual(await recordOf('identity.provisioning_token_revoked'), [{ ...who, details: { token: id, operator } }]);
});

test('IDN-1, AUD-1: clients of agents and services, ends of access and unlinked accounts are on record', async (t) => {
  t.timeout(60_000);
  const service = await identity('client', '--service', '--client', 'entra-sync');
  t.is(service.code, 0, service.text);
  const claims = { sub: 'entra-sync', client_id: 'entra-sync', organisation: stack.organisationId };
  t.is(await users(await forge.sign(claims)), 200);
  t.regex((await identity('client', '--agent', 'legal-agent', '--client', 'entra-sync')).text, /somebody else already/);
  t.is((await identity('client', '--agent', 'legal-agent', '--client', 'legal')).code, 0);
  t.is((await identity('client', '--agent', 'legal-agent', '--client', 'legal')).code, 0, 'once more is the same');
  t.like((await recordOf('identity.client_added'))[1], {
    actor_id: 'switchboard',
    subject_id: stack.ids['legal-agent'],
    details: { issuer: forge.issuer, client: 'legal', operator },
  });

  const felix = { sub: 'felix', email: 'felix.amaro@example.org', email_verified: true };
  const token = await forge.sign({ ...felix, organisation: stack.organisationId });
  const me = async (): Promise<number> => (await rest(stack.apiUrl, token, 'GET', '/me')).status;
  t.is(await me(), 200);
  const principal = stack.ids['Felix Amaro'] ?? '';
  t.is((await identity('unlink', '--principal', principal)).code, 0);
  t.is((await identity('end', '--principal', principal)).code, 0);
  await eventually(me, (status) => status === 401, 5_000);
  t.like((await recordOf('identity.unlinked'))[0], {
    subject_id: principal,
    details: { accounts: 1, sessions: 0, operator },
  });
  t.like((await recordOf('identity.ended'))[0], { subject_id: principal, details: { operator } });
});

test('IDN-1: the first requests of somebody may come at the same moment', async (t) => {
  const claims = { sub: 'greta', email: 'greta.mbeki@example.com', email_verified: true };
  const signed = Array.from({ length: 6 }, (_, at) =>
    forge.sign({ ...claims, organisation: stack.organisationId, jti: `first-${String(at)}` }),
  );
  const answers = await Promise.all((await Promise.all(signed)).map((one) => rest(stack.apiUrl, one, 'GET', '/me')));
  t.deepEqual(
    answers.map(({ status }) => status),
    answers.map(() => 200),
  );
});

test('DIR-2, IDN-1: the profile that was assigned to a person holds for their access tokens', async (t) => {
  const claims = { sub: 'tobias', email: 'tobias.renn@example.com', email_verified: true };
  const token = async (jti: string): Promise<string> =>
    forge.sign({ ...claims, organisation: stack.organisationId, jti });
  const profileOf = async (jti: string): Promise<unknown> =>
    (await rest<Record<string, unknown>>(stack.apiUrl, await token(jti), 'GET', '/profiles/me')).body['role'];
  const own = await profileOf('before');
  const other = own === 'legal' ? 'hr' : 'legal';
  await stack.database.inOrganisation(stack.organisationId, (sql) =>
    sql.query('UPDATE users SET assigned_profile = $2 WHERE id = $1', [stack.ids['Tobias Renn'] ?? '', other]),
  );
  t.not(own, other);
  t.is(await profileOf('after'), other);
});
