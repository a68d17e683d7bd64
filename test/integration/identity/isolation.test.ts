import test from 'ava';

import { saveAgentClient } from '../../../db/agent-clients.ts';
import { ACCESS_TOKEN, EXCHANGE } from '../../../api/token-service/form.ts';
import { openForge } from '../../support/identity/forge.ts';
import type { Forge } from '../../support/identity/forge.ts';
import { rest } from '../../support/rest.ts';
import { startStack } from '../../support/stack.ts';
import type { TestStack } from '../../support/stack.ts';

let stack: TestStack;
let forge: Forge;
const AGENTS = ['finance-agent', 'support-agent'] as const;

test.before(async (t) => {
  t.timeout(180_000);
  forge = await openForge();
  stack = await startStack({
    worker: false,
    identity: { issuer: forge.issuer, organisationClaim: 'organisation', exchangeClients: ['mcp-server'] },
  });
  for (const [organisationId, ids, prefix] of [
    [stack.organisationId, stack.ids, 'own'],
    [stack.other.organisationId, stack.other.ids, 'other'],
  ] as const)
    for (const name of AGENTS) {
      const client = { client_id: `${prefix}-${name}`, agent_id: ids[name] ?? '' };
      await stack.database.inOrganisation(organisationId, (sql) => saveAgentClient(sql, forge.issuer, client));
    }
});
test.after.always(async () => {
  await stack.close();
  await forge.close();
});

const person = (organisation: string, sub = `${organisation}-helena`, email = 'helena.voss@example.com') =>
  forge.sign({ organisation, sub, email, email_verified: true });
const agent = (client: string, more: Record<string, unknown> = {}): Promise<string> =>
  forge.sign({ sub: client, client_id: client, ...more });
const me = (token: string) =>
  rest<{ id: string; organisation_id: string; acts_for: string | null }>(stack.apiUrl, token, 'GET', '/me');
async function exchange(subject: string, actor: string) {
  const body = new URLSearchParams({
    grant_type: EXCHANGE,
    subject_token: subject,
    subject_token_type: ACCESS_TOKEN,
    actor_token: actor,
    actor_token_type: ACCESS_TOKEN,
  });
  const response = await fetch(`${stack.apiUrl}/oauth/token`, { method: 'POST', body });
  return {
    status: response.status,
    body: (await response.json()) as { error?: string; error_description?: string; access_token: string },
  };
}

test('POL-3, IDN-2: an agent of one organisation never gets a token for a person of another', async (t) => {
  const [own, other] = [stack.organisationId, stack.other.organisationId];
  const good = await exchange(await person(own), await agent('own-finance-agent'));
  t.is(good.status, 200, good.body.error_description);
  t.like((await me(good.body.access_token)).body, {
    organisation_id: own,
    id: stack.ids['finance-agent'],
    acts_for: stack.ids['Helena Voss'],
  });
  for (const [subject, actor] of [
    [await person(own), await agent('other-finance-agent')],
    [await person(other), await agent('own-finance-agent')],
    // A token that was exchanged in one organisation is no subject in another.
    [good.body.access_token, await agent('other-finance-agent')],
  ] as const) {
    const { status, body } = await exchange(subject, actor);
    t.is(status, 400);
    t.is(body.error, 'invalid_request');
    t.regex(body.error_description ?? '', /different organisations/);
  }
});

test('POL-3, IDN-2: a client cannot say that it is of another organisation', async (t) => {
  const { status, body } = await exchange(
    await person(stack.other.organisationId),
    await agent('own-finance-agent', { organisation: stack.other.organisationId }),
  );
  t.is(status, 400);
  t.is(body.error, 'invalid_grant');
  t.is((await me(await agent('own-finance-agent', { organisation: stack.other.organisationId }))).status, 401);
});

test('POL-3, IDN-2: a client is the agent of the organisation that registered it first, and of no other', async (t) => {
  const client = { client_id: 'wanted-by-two', agent_id: stack.ids['finance-agent'] ?? '' };
  const others = { client_id: 'wanted-by-two', agent_id: stack.other.ids['finance-agent'] ?? '' };
  const save = (organisation: string, wanted: typeof client) =>
    stack.database.inOrganisation(organisation, (sql) => saveAgentClient(sql, forge.issuer, wanted));
  t.true(await save(stack.organisationId, client));
  t.true(await save(stack.organisationId, client), 'again, the same');
  t.false(await save(stack.other.organisationId, others), 'it is told that it was not taken');
  const another = { client_id: 'wanted-by-two', agent_id: stack.ids['support-agent'] ?? '' };
  t.false(await save(stack.organisationId, another), 'nor by another agent of the same organisation');
  t.like((await me(await agent('wanted-by-two'))).body, {
    organisation_id: stack.organisationId,
    id: stack.ids['finance-agent'],
  });
});

test('POL-3, IDN-1: the same account at the provider is a person of each organisation that it names, of each its own', async (t) => {
  const seen = await Promise.all(
    [stack.organisationId, stack.other.organisationId].map(async (organisation) =>
      me(await person(organisation, 'one-account', 'felix.amaro@example.org')).then(({ body }) => [
        body.organisation_id,
        body.id,
      ]),
    ),
  );
  t.deepEqual(seen, [
    [stack.organisationId, stack.ids['Felix Amaro']],
    [stack.other.organisationId, stack.other.ids['Felix Amaro']],
  ]);
});
