import test from 'ava';
import * as client from 'openid-client';

import { Browser } from '../../../cli/demo/browser.ts';
import { developmentProvider } from '../../support/identity/provider.ts';
import { MCP_AUDIENCE, openSignInScene } from '../../support/identity/scene.ts';
import { rest } from '../../support/rest.ts';
import { ACCESS_TOKEN, EXCHANGE } from '../../../api/token-service/form.ts';

test('MCP-5: a client that registers itself acts for whoever allows it, as an agent, and for nobody who refuses', async (t) => {
  const scene = await openSignInScene(await developmentProvider());
  t.teardown(() => scene.close());
  const back = 'http://127.0.0.1:33418/callback';
  const registered = await client.dynamicClientRegistration(
    new URL(scene.provider.issuer),
    {
      client_name: 'Some MCP client',
      redirect_uris: [back],
      token_endpoint_auth_method: 'none',
      grant_types: ['authorization_code', 'refresh_token'],
    },
    client.None(),
    // eslint-disable-next-line @typescript-eslint/no-deprecated -- the development provider speaks http.
    { execute: [client.allowInsecureRequests] },
  );
  const isBack = (url: string): boolean => url.startsWith(back);
  const ask = async (answer: string) => {
    const verifier = client.randomPKCECodeVerifier();
    const url = client.buildAuthorizationUrl(registered, {
      redirect_uri: back,
      scope: 'openid email switchboard:read switchboard:write',
      resource: MCP_AUDIENCE,
      code_challenge: await client.calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
    });
    const browser = new Browser();
    const page = await browser.visit(url.href, {}, isBack);
    const consent = await scene.running.signIn(browser, page, scene.emailOf('Helena Voss'), isBack);
    t.regex(consent.text, /Some MCP client/);
    return { verifier, end: await browser.submit(consent, { answer }, isBack) };
  };
  const refused = await ask('no');
  t.is(new URL(refused.end.url).searchParams.get('error'), 'access_denied');

  const { verifier, end } = await ask('yes');
  const granted = await client.authorizationCodeGrant(
    registered,
    new URL(end.url),
    { pkceCodeVerifier: verifier },
    { resource: MCP_AUDIENCE },
  );
  const answer = await fetch(`${scene.stack.apiUrl}/oauth/token`, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: EXCHANGE,
      subject_token: granted.access_token,
      subject_token_type: ACCESS_TOKEN,
      actor_token: await scene.serviceToken(scene.provider.clients.mcp),
      actor_token_type: ACCESS_TOKEN,
    }),
  });
  const { access_token: token } = (await answer.json()) as { access_token: string };
  const { body } = await rest<Record<string, unknown>>(scene.stack.apiUrl, token, 'GET', '/me');
  t.like(body, { kind: 'agent', acts_for: scene.stack.ids['Helena Voss'] ?? '', administrator: false });
});
