import test from 'ava';

import { openForge } from '../../support/identity/forge.ts';
import type { Forge } from '../../support/identity/forge.ts';
import type { Body } from '../../support/caller.ts';
import { eventually, rest } from '../../support/rest.ts';
import type { Answer } from '../../support/rest.ts';
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

interface Person {
  readonly email: string;
  readonly organisation: string;
}
const helena = (organisation = stack.organisationId): Person => ({ email: 'helena.voss@example.com', organisation });
const felix = (): Person => ({ email: 'felix.amaro@example.org', organisation: stack.organisationId });
const as = async (
  { email, organisation }: Person,
  method: string,
  path: string,
  body?: object,
): Promise<Answer<Body>> => {
  const token = await forge.sign({ sub: `${email}/${organisation}`, organisation, email, email_verified: true });
  return rest<Body>(stack.apiUrl, token, method, path, body ? { body } : {});
};
const me = async (client: string): Promise<Answer<Body>> => {
  const token = await forge.sign({ sub: client, client_id: client, organisation: stack.organisationId });
  return rest<Body>(stack.apiUrl, token, 'GET', '/me');
};
const ended = (client: string) =>
  eventually(
    async () => (await me(client)).status,
    (status) => status === 401,
    5_000,
  );

test('DIR-4, IDN-1: an agent is registered with a client, signs in as it, is given another, and ends with it', async (t) => {
  const made = await as(helena(), 'POST', '/agents', { name: 'scout', role: 'marketing', client_id: 'scout-client' });
  t.is(made.status, 201, JSON.stringify(made.body));
  t.false('key' in made.body, 'no key is made where keys do not count');
  t.regex(String(made.body['sign_in']), /client credentials as scout-client/);
  const { id } = made.body;
  t.like((await me('scout-client')).body, { id, kind: 'agent', role: 'marketing', administrator: false });
  t.is((await as(helena(), 'GET', `/agents/${id}`)).body['client_id'], 'scout-client');

  t.is((await as(helena(), 'PUT', `/agents/${id}`, { capacity: 3 })).body['client_id'], 'scout-client');
  t.like((await as(helena(), 'PUT', `/agents/${id}`, { client_id: 'scout-two' })).body, { client_id: 'scout-two' });
  t.is((await me('scout-two')).body.id, id);
  await ended('scout-client');

  t.is((await as(helena(), 'DELETE', `/agents/${id}`)).status, 200);
  await ended('scout-two');
  const events = await stack.database.inOrganisation(stack.organisationId, (sql) =>
    sql.query<{ action: string; client: string | null }>(
      "SELECT action, details->>'client' AS client FROM audit_events WHERE subject_id = $1 ORDER BY position",
      [id],
    ),
  );
  t.deepEqual(
    events.map(({ action, client }) => [action, client]),
    [
      ['agent.registered', 'scout-client'],
      ['agent.changed', null],
      ['agent.changed', 'scout-two'],
      ['agent.removed', null],
    ],
  );
});

test('DIR-4: people name clients of agents that act for themselves alone; an owner is not enough', async (t) => {
  const own = await as(felix(), 'POST', '/agents', { name: 'felix-bot', client_id: 'felix-client' });
  t.is(own.status, 201, JSON.stringify(own.body));
  const self = (await as(felix(), 'GET', '/me')).body;
  t.like((await me('felix-client')).body, { id: own.body.id, acts_for: self.id, role: self['role'] });
  t.is((await as(felix(), 'PUT', `/agents/${own.body.id}`, { client_id: null })).body['client_id'], null);
  await ended('felix-client');

  const { body: desk } = await as(helena(), 'POST', '/agents', {
    name: 'desk',
    role: self['role'],
    acts_for: null,
    owner: self.id,
  });
  t.regex(String(desk['sign_in']), /Make a client/);
  t.is((await as(felix(), 'PUT', `/agents/${desk.id}`, { capacity: 2 })).status, 200);
  t.is((await as(felix(), 'PUT', `/agents/${desk.id}`, { client_id: 'felix-desk' })).status, 403);
  t.is((await me('felix-desk')).status, 401);
});

test('DIR-4, POL-3: a client that is somebody’s stays theirs, in another organisation too', async (t) => {
  const { body: mine } = await as(helena(), 'POST', '/agents', { name: 'first', role: 'hr', client_id: 'contested' });
  const other = helena(stack.other.organisationId);
  for (const [who, name] of [
    [helena(), 'second'],
    [other, 'third'],
  ] as const)
    t.like((await as(who, 'POST', '/agents', { name, role: 'hr', client_id: 'contested' })).body, {
      code: 'directory_conflict',
    });
  t.is((await me('contested')).body.id, mine.id);
  for (const client_id of ['switchboard-web', 'switchboard-mcp'])
    t.is(
      (await as(helena(), 'POST', '/agents', { name: 'no', role: 'hr', client_id })).body.code,
      'directory_conflict',
    );
  const names = (await as(helena(), 'GET', '/agents')).body as unknown as readonly Body[];
  t.false(
    names.some(({ name }) => name === 'second' || name === 'no'),
    'what was refused left nothing',
  );
  t.is((await as(helena(), 'POST', '/agents', { name: 'bad', client_id: 'two words' })).status, 400);
});
