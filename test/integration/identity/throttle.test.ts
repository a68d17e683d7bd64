import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import test from 'ava';

import { Browser } from '../../../cli/demo/browser.ts';
import { openForge } from '../../support/identity/forge.ts';
import { developmentProvider } from '../../support/identity/provider.ts';
import { startStack } from '../../support/stack.ts';

const EXCHANGE = {
  grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
  subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
  actor_token_type: 'urn:ietf:params:oauth:token-type:access_token',
};

test('IDN-2: whoever tries tokens at random is stopped, in every process', async (t) => {
  const forge = await openForge();
  const stack = await startStack({ worker: false, identity: { issuer: forge.issuer } });
  const other = await stack.serveApi();
  t.teardown(async () => {
    await other.close();
    await stack.close();
    await forge.close();
  });
  const attempt = async (url: string, at: number): Promise<number> => {
    const body = new URLSearchParams({ ...EXCHANGE, subject_token: `guess-${String(at)}`, actor_token: 'guess' });
    const answer = await fetch(`${url}/oauth/token`, { method: 'POST', body });
    await answer.text();
    return answer.status;
  };
  const statuses: number[] = [];
  for (let at = 0; at < 64; at += 1) statuses.push(await attempt(stack.apiUrl, at));
  t.deepEqual([...new Set(statuses)], [400, 429]);
  t.is(await attempt(other.url, 100), 429);
});

test('IDN-1: whoever tries passwords at random is stopped, and so is the right one for a while', async (t) => {
  const folder = mkdtempSync(path.join(tmpdir(), 'switchboard-idp-'));
  const provider = await developmentProvider();
  const email = 'somebody@example.com';
  const running = await provider.start({
    apiUrl: 'http://127.0.0.1:9',
    people: [{ name: 'Somebody', email }],
    audience: 'urn:switchboard:api',
    mcpAudience: 'http://127.0.0.1:9/mcp',
    services: [],
    folder,
  });
  t.teardown(async () => {
    await running.close();
    rmSync(folder, { recursive: true, force: true });
  });
  const browser = new Browser();
  const query = new URLSearchParams({
    client_id: 'switchboard-web',
    response_type: 'code',
    scope: 'openid',
    redirect_uri: 'http://127.0.0.1:9/auth/callback',
    code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
    code_challenge_method: 'S256',
  });
  const page = await browser.visit(`${provider.issuer}/auth?${query.toString()}`);
  const statuses: number[] = [];
  for (let at = 0; at < 11; at += 1)
    statuses.push((await browser.submit(page, { email, password: `guess-${String(at)}` })).status);
  t.deepEqual([...new Set(statuses)], [401, 429]);
  const right = await running.signIn(browser, page, email);
  t.is(right.status, 429);
});
