import type { TestFn } from 'ava';
import { decodeJwt, decodeProtectedHeader } from 'jose';

import { ACCESS_TOKEN, EXCHANGE } from '../../../api/token-service/form.ts';
import { eventually, rest } from '../rest.ts';
import { asOwner } from '../scene.ts';
import type { ProviderUnderTest } from './provider.ts';
import { MCP_AUDIENCE, openSignInScene } from './scene.ts';
import type { SignInScene } from './scene.ts';
import type { Me } from './suite.ts';

interface Exchanged {
  readonly access_token: string;
  readonly expires_in: number;
  readonly scope: string;
  readonly issued_token_type: string;
  readonly error: string;
  readonly error_description: string;
}

/** Token exchange on behalf of people, and for the MCP server, with a provider that is described. */
export function exchangeSuite(test: TestFn, describe: () => Promise<ProviderUnderTest>): void {
  let scene: SignInScene;
  test.before('start', async () => {
    scene = await openSignInScene(await describe());
  });
  test.after.always('stop', () => scene.close());

  const me = (token: string) => rest<Me>(scene.stack.apiUrl, token, 'GET', '/me');
  const form = async (path: string, fields: Readonly<Record<string, string>>) => {
    const response = await fetch(scene.stack.apiUrl + path, { method: 'POST', body: new URLSearchParams(fields) });
    return { status: response.status, body: (await response.json()) as Exchanged };
  };
  const exchange = (subject: string, actor: string, more: Readonly<Record<string, string>> = {}) =>
    form('/oauth/token', {
      grant_type: EXCHANGE,
      subject_token: subject,
      subject_token_type: ACCESS_TOKEN,
      actor_token: actor,
      actor_token_type: ACCESS_TOKEN,
      ...more,
    });
  const idOf = (name: string): string => scene.stack.ids[name] ?? '';

  test('IDN-2: an agent acts for a person with the rights that both have, for five minutes', async (t) => {
    const person = await scene.webToken('Helena Voss');
    const { status, body } = await exchange(person, await scene.serviceToken('support-agent'));
    t.is(status, 200, body.error_description);
    t.true(body.expires_in <= 300);
    t.is(body.issued_token_type, ACCESS_TOKEN);
    const claims = decodeJwt(body.access_token);
    t.is(decodeProtectedHeader(body.access_token).alg, 'ES256');
    t.is(claims.iss, scene.stack.apiUrl);
    t.is(claims.sub, idOf('Helena Voss'));
    t.like(claims['act'], { sub: idOf('support-agent') });
    const both = (await me(body.access_token)).body;
    t.like(both, { kind: 'agent', id: idOf('support-agent'), acts_for: idOf('Helena Voss'), role: 'manager' });
    t.false(both.administrator, 'Helena Voss is an administrator');
  });

  test('IDN-2: an agent on behalf of a person sees only what both are cleared for', async (t) => {
    const [person, agent] = [await scene.webToken('Priya Lindqvist'), await scene.serviceToken('support-agent')];
    const { body } = await exchange(person, agent);
    const clearanceOf = async (token: string) => [...(await me(token)).body.clearance].sort();
    const [hers, its, both] = await Promise.all([person, agent, body.access_token].map(clearanceOf));
    t.deepEqual(
      both,
      hers?.filter((kind) => its?.includes(kind)),
    );
    t.notDeepEqual(both, hers, 'the agent is cleared for less than the person');
    t.like((await me(body.access_token)).body, { role: 'finance', acts_for: idOf('Priya Lindqvist') });
  });

  test('IDN-2: who acts for whom is on record with what they do', async (t) => {
    const subject = await scene.desktopToken('Marcus Oduya', MCP_AUDIENCE);
    const { body } = await exchange(subject, await scene.serviceToken(scene.provider.clients.mcp));
    const agent = (await me(body.access_token)).body;
    const refused = await rest(scene.stack.apiUrl, body.access_token, 'GET', '/audit');
    t.is(refused.status, 403);
    const rows = await asOwner<{ action: string; on_behalf_of: string; via: string[] }>(
      scene.stack,
      "SELECT action, on_behalf_of, details->'via' AS via FROM audit_events WHERE actor_id = $1 ORDER BY position",
      [agent.id],
    );
    t.deepEqual(rows, [
      { action: 'token.exchanged', on_behalf_of: idOf('Marcus Oduya'), via: [scene.provider.clients.mcp] },
      { action: 'policy.refused', on_behalf_of: idOf('Marcus Oduya'), via: [scene.provider.clients.mcp] },
    ]);
  });

  test('MCP-5: the MCP server exchanges a token for itself for one of the API, of the same agent', async (t) => {
    const mcp = await scene.serviceToken(scene.provider.clients.mcp);
    const forMcp = await scene.desktopToken('Ines Calder', MCP_AUDIENCE);
    t.is((await me(forMcp)).status, 401, 'it is no token for the API');
    const { status, body } = await exchange(forMcp, mcp);
    t.is(status, 200, body.error_description);
    const direct = (await me(await scene.desktopToken('Ines Calder'))).body;
    t.deepEqual((await me(body.access_token)).body, direct);
    const passed = await exchange(await scene.desktopToken('Ines Calder'), mcp);
    t.is(passed.body.error, 'invalid_target', 'a token of the API is not the MCP server’s to exchange');
    const service = await exchange(await scene.serviceToken('legal-agent', MCP_AUDIENCE), mcp);
    t.is((await me(service.body.access_token)).body.id, idOf('legal-agent'));
  });

  test('IDN-2: an exchanged token ends with the token that it was made of', async (t) => {
    const person = await scene.webToken('Tobias Renn');
    const { body } = await exchange(person, await scene.serviceToken('finance-agent'));
    t.is((await me(body.access_token)).status, 200);
    const other = await scene.stack.serveApi();
    t.teardown(() => other.close());
    const there = () => rest<Me>(other.url, body.access_token, 'GET', '/me');
    t.is((await there()).status, 200);
    t.is((await form('/oauth/revoke', { token: person })).status, 200);
    const { headers } = await eventually(there, ({ status }) => status === 401, 5_000);
    t.regex(headers.get('www-authenticate') ?? '', /revoked/);
    t.is((await exchange(person, await scene.serviceToken('finance-agent'))).body.error, 'invalid_grant');
  });

  test('IDN-2: a chain of actors is on the token, loses rights at every step, and has an end', async (t) => {
    const person = await scene.webToken('Owen Tashiro');
    const first = await exchange(person, await scene.serviceToken('finance-agent'));
    const second = await exchange(first.body.access_token, await scene.serviceToken('support-agent'));
    t.is(second.status, 200, second.body.error_description);
    t.like(decodeJwt(second.body.access_token)['act'], {
      sub: idOf('support-agent'),
      act: { sub: idOf('finance-agent') },
    });
    const clearances = await Promise.all(
      [first, second].map(async ({ body }) => (await me(body.access_token)).body.clearance),
    );
    t.true(clearances[1]?.every((kind) => clearances[0]?.includes(kind)));
    const third = await exchange(second.body.access_token, await scene.serviceToken('legal-agent'));
    t.is(third.status, 200);
    const fourth = await exchange(third.body.access_token, await scene.serviceToken('hr-agent'));
    t.is(fourth.body.error, 'invalid_request');
    t.regex(fourth.body.error_description, /More than 3 actors/);
  });

  test('IDN-2: scopes of an exchanged token are asked for within those of its parts', async (t) => {
    const [person, agent] = [await scene.webToken('Noor Halvorsen'), await scene.serviceToken('hr-agent')];
    const { body } = await exchange(person, agent, { scope: 'switchboard:read' });
    t.is(body.scope, 'switchboard:read');
    t.is((await me(body.access_token)).status, 200);
    const task = { target: 'legal', type: 'check', title: 'Not covered' };
    const refused = await rest(scene.stack.apiUrl, body.access_token, 'POST', '/tasks/route', { body: task });
    t.is(refused.status, 403);
    t.regex(refused.headers.get('www-authenticate') ?? '', /insufficient_scope.*scope="switchboard:write"/);
    t.is((await exchange(person, agent, { scope: 'everything' })).body.error, 'invalid_scope');
  });

  test('IDN-2: what is no exchange is refused in the words of OAuth', async (t) => {
    const [person, agent] = [await scene.webToken('Felix Amaro'), await scene.serviceToken('legal-agent')];
    const desktop = await scene.desktopToken('Felix Amaro');
    const errors = async (answer: ReturnType<typeof form>): Promise<string> => {
      const { status, body } = await answer;
      return `${String(status)} ${body.error}`;
    };
    t.is(await errors(form('/oauth/token', { grant_type: 'password' })), '400 unsupported_grant_type');
    t.is(await errors(form('/oauth/token', {})), '400 invalid_request');
    t.is(await errors(exchange(person, agent, { audience: 'https://elsewhere.example' })), '400 invalid_target');
    t.is(await errors(exchange(person, desktop)), '400 invalid_request', 'the actor acts for somebody already');
    t.is(await errors(exchange(agent, agent)), '400 invalid_request', 'the subject is no person');
    t.is(await errors(exchange('no-token', agent)), '400 invalid_grant');
    t.is(await errors(exchange(person, `${agent}x`)), '400 invalid_grant');
  });

  test('IDN-2: the token service says where its keys are, and publishes nothing private', async (t) => {
    const read = async (path: string) =>
      (await (await fetch(scene.stack.apiUrl + path)).json()) as Record<string, unknown>;
    const metadata = await read('/.well-known/oauth-authorization-server');
    t.is(metadata['issuer'], scene.stack.apiUrl);
    t.is(metadata['token_endpoint'], `${scene.stack.apiUrl}/oauth/token`);
    const { keys } = (await read('/.well-known/jwks.json')) as { keys: Record<string, unknown>[] };
    t.true(keys.length >= 1);
    t.true(keys.every((key) => key['kty'] === 'EC' && key['d'] === undefined));
    const resource = await read('/.well-known/oauth-protected-resource');
    t.deepEqual(resource['authorization_servers'], [scene.provider.issuer]);
  });
}
