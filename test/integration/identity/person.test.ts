import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';

import test from 'ava';
import type { ExecutionContext } from 'ava';

import { Browser } from '../../../cli/demo/browser.ts';
import type { Page } from '../../../cli/demo/browser.ts';
import { stdioCredentials } from '../../../mcp-extension/stdio-credentials.ts';
import { loadConfig } from '../../../platform/config.ts';
import { SCOPES } from '../../../platform/sign-in/client.ts';
import { signInByLoopback } from '../../../platform/sign-in/loopback.ts';
import { rest } from '../../support/rest.ts';
import { developmentProvider } from '../../support/identity/provider.ts';
import { openSignInScene } from '../../support/identity/scene.ts';
import type { SignInScene } from '../../support/identity/scene.ts';

const root = path.resolve(import.meta.dirname, '../../..');
const PERSON = 'switchboard-person';
let scene: SignInScene;
test.before(async (t) => {
  t.timeout(180_000);
  const peopleClients = ['switchboard-web', PERSON];
  const identity = { staticKeys: false, peopleClients, extraScopes: ['audience-api', 'tenant:own'] };
  scene = await openSignInScene(await developmentProvider(), { identity });
});
test.after.always(() => scene.close());

const folderFor = (t: ExecutionContext): string => {
  const folder = mkdtempSync(path.join(tmpdir(), 'switchboard-person-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
};
const target = () => ({ apiUrl: scene.stack.apiUrl, audience: 'urn:switchboard:api', scope: SCOPES.once });
/** Signs in, and answers on the page that asks whether this machine may act as the person. */
async function answer(address: string, name: string, answered: 'yes' | 'no', browser = new Browser()): Promise<Page> {
  const asked = await scene.running.signIn(browser, await browser.visit(address), scene.emailOf(name));
  if (!asked.text.includes('act as you')) throw new Error(`Nobody asked: ${asked.text.slice(0, 300)}`);
  return browser.submit(asked, { answer: answered });
}
const me = async (token: string) => (await rest<Record<string, unknown>>(scene.stack.apiUrl, token, 'GET', '/me')).body;

test('IDN-1: a person gets a token that is the person by browser and loopback redirect, and is asked each time', async (t) => {
  const browser = new Browser();
  for (let time = 0; time < 2; time += 1) {
    const pages: Promise<Page>[] = [];
    const token = await signInByLoopback(PERSON, target(), (address) => {
      t.regex(address, /redirect_uri=http%3A%2F%2F127\.0\.0\.1%3A\d+%2Fcallback/);
      t.regex(address, /code_challenge_method=S256/);
      pages.push(answer(address, 'Helena Voss', 'yes', browser));
    });
    t.regex((await Promise.all(pages))[0]?.text ?? '', /can be closed/);
    t.like(await me(token), { kind: 'user', name: 'Helena Voss', administrator: true });
    const decoded = await rest(scene.stack.apiUrl, token, 'POST', '/codec/decode', { body: { payloads: [] } });
    t.is(decoded.status, 200, 'an administrator reads histories with it');
  }
});

test('IDN-1: who refuses gets no token; answers that belong to another sign-in are not taken', async (t) => {
  const pages: Promise<unknown>[] = [];
  await t.throwsAsync(
    signInByLoopback(PERSON, target(), (address) => {
      const back = new URL(address).searchParams.get('redirect_uri') ?? '';
      const forged = fetch(`${back}?code=stolen&state=guessed`).then(({ status }) => t.is(status, 404));
      pages.push(forged.then(() => answer(address, 'Felix Amaro', 'no')));
    }),
    { message: /refused/ },
  );
  await Promise.all(pages);
  await t.throwsAsync(
    signInByLoopback(PERSON, target(), () => undefined, 200),
    { message: /Nobody signed in/ },
  );
});

test('IDN-1: `login --person` prints the token alone, and keeps nothing', async (t) => {
  t.timeout(60_000);
  const folder = folderFor(t);
  const env = { ...process.env, SWITCHBOARD_API_URL: scene.stack.apiUrl, XDG_CONFIG_HOME: folder };
  const command = spawn(process.execPath, [path.join(root, 'cli/main.ts'), 'login', '--person'], { env });
  t.teardown(() => command.kill());
  const out: string[] = [];
  command.stdout.on('data', (piece: Buffer) => out.push(piece.toString()));
  const ended = once(command, 'close');
  const [line] = (await once(createInterface(command.stderr), 'line')) as [string];
  await answer(line.replace(/^Open /, ''), 'Helena Voss', 'yes');
  t.deepEqual(await ended, [0, null]);
  const token = out.join('').trimEnd();
  t.regex(token, /^[\w-]+\.[\w-]+\.[\w-]+$/);
  t.like(await me(token), { kind: 'user', name: 'Helena Voss' });
  t.false(existsSync(path.join(folder, 'switchboard', 'logins.json')));
});

/** A provider that notes what it is asked for, and answers nothing of use. */
async function listening(t: ExecutionContext): Promise<{ readonly issuer: string; readonly asked: URLSearchParams[] }> {
  const asked: URLSearchParams[] = [];
  const server = createServer((req, res) => {
    let text = '';
    req.on('data', (piece: Buffer) => (text += piece.toString()));
    req.on('end', () => {
      res.setHeader('content-type', 'application/json');
      if (req.method === 'GET') {
        const endpoints = { token_endpoint: `${issuer}/token`, device_authorization_endpoint: `${issuer}/device` };
        res.end(JSON.stringify({ issuer, ...endpoints, jwks_uri: `${issuer}/keys` }));
        return;
      }
      asked.push(new URLSearchParams(text));
      res.writeHead(400).end(JSON.stringify({ error: 'invalid_scope', error_description: 'nobody knows it' }));
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  const issuer = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
  return { issuer, asked };
}

test('IDN-1: extra scopes are asked for by services, by `login`, and in the browser', async (t) => {
  t.timeout(60_000);
  const { issuer, asked } = await listening(t);
  const env = {
    SWITCHBOARD_OIDC_ISSUER: issuer,
    SWITCHBOARD_API_URL: scene.stack.apiUrl,
    SWITCHBOARD_OIDC_EXTRA_SCOPES: 'audience-api  tenant:own',
  };
  const client = { SWITCHBOARD_CLIENT_ID: 'legal-agent', SWITCHBOARD_CLIENT_SECRET: 'x' };
  const { credentials } = stdioCredentials(loadConfig({ ...env, ...client }), { warn: () => undefined });
  await t.throwsAsync(async () => credentials(''));
  t.is(asked[0]?.get('scope'), `${SCOPES.service} audience-api tenant:own`);

  const known = asked.length;
  const command = spawn(process.execPath, [path.join(root, 'cli/main.ts'), 'login'], {
    env: { ...process.env, ...env, XDG_CONFIG_HOME: folderFor(t) },
    stdio: 'ignore',
  });
  t.deepEqual(await once(command, 'close'), [1, null]);
  t.is(asked[known]?.get('scope'), `${SCOPES.person} audience-api tenant:own`);

  const begun = await fetch(`${scene.stack.apiUrl}/auth/login`, { redirect: 'manual' });
  const scope = new URL(begun.headers.get('location') ?? '').searchParams.get('scope');
  t.is(scope, 'openid email profile audience-api tenant:own');
});
