import { readFileSync, statSync } from 'node:fs';
import path from 'node:path';

import test from 'ava';
import * as client from 'openid-client';

import { SCOPES } from '../../platform/sign-in/client.ts';
import { signInByLoopback } from '../../platform/sign-in/loopback.ts';
import { discoverProvider } from '../../platform/sign-in/provider.ts';
import { Browser } from '../../cli/demo/browser.ts';
import { rest } from '../support/rest.ts';
import { startCommand } from '../support/scenario-program.ts';
import type { Command } from '../support/scenario-program.ts';
import { ANY_PORTS, scenarioFolder } from '../support/scenario-stack.ts';

const linux = process.platform === 'linux' ? test : test.skip;

interface Passwords {
  readonly people: readonly { readonly name: string; readonly email: string; readonly password: string }[];
  readonly clients: readonly { readonly id: string; readonly secret: string }[];
}
interface Me {
  readonly name: string;
  readonly kind: string;
}

const valueOf = async (command: Command, name: string): Promise<string> =>
  (await command.line(new RegExp(`^${name} {2,}`))).replace(/^.* {2,}/, '');

linux(
  'IDN-1, OPS-1: npm start brings a provider; people and agents sign in, and a restart signs nobody out',
  async (t) => {
    t.timeout(240_000);
    const { folder, remove } = scenarioFolder();
    t.teardown(remove);
    const env: Record<string, string> = { ...ANY_PORTS, SWITCHBOARD_DATA_DIR: folder };
    const start = async (): Promise<Command> => {
      const command = startCommand(['cli/main.ts', 'start'], env);
      t.teardown(() => command.kill());
      await command.line(/^Switchboard is ready/);
      return command;
    };
    const stop = async (command: Command): Promise<void> => {
      process.kill(command.pid, 'SIGINT');
      t.is(await command.ended, 0);
    };

    const first = await start();
    const [api, issuer, mcp] = await Promise.all(
      ['API', 'Sign-in', 'MCP over HTTP'].map((name) => valueOf(first, name)),
    );
    if (api === undefined || issuer === undefined || mcp === undefined) throw new Error('An address is missing.');
    const file = await valueOf(first, 'Passwords');
    for (const name of ['passwords.json', 'identity-secrets.json', 'token-keys.json'])
      t.is(statSync(path.join(folder, name)).mode & 0o777, 0o600, name);
    t.throws(() => statSync(path.join(folder, 'keys.json')), { code: 'ENOENT' }, 'no development keys');
    const { people, clients } = JSON.parse(readFileSync(file, 'utf8')) as Passwords;
    const helena = people.find(({ name }) => name === 'Helena Voss');
    if (!helena) throw new Error('Helena Voss has no password.');

    const browser = new Browser();
    const page = await browser.visit(`${api}/auth/login?return_to=/me`);
    const signedIn = await browser.submit(page, { email: helena.email, password: helena.password });
    t.like(JSON.parse(signedIn.text) as Me, { name: 'Helena Voss', kind: 'user' });

    const asked: Promise<unknown>[] = [];
    const target = { apiUrl: api, audience: 'urn:switchboard:api', scope: SCOPES.once };
    const own = await signInByLoopback('switchboard-person', target, (address) => {
      asked.push(browser.visit(address).then((consent) => browser.submit(consent, { answer: 'yes' })));
    });
    await Promise.all(asked);
    t.like((await rest<Me>(api, own, 'GET', '/me')).body, { name: 'Helena Voss', kind: 'user' });

    const legal = clients.find(({ id }) => id === 'legal-agent');
    const configuration = await discoverProvider({ issuer, clientId: 'legal-agent', clientSecret: legal?.secret });
    const scope = 'switchboard:read switchboard:write';
    const { access_token: token } = await client.clientCredentialsGrant(configuration, { scope });
    t.like((await rest<Me>(api, token, 'GET', '/me')).body, { name: 'legal-agent', kind: 'agent' });

    const challenge = await fetch(mcp, { method: 'POST' });
    t.is(challenge.status, 401);
    t.regex(challenge.headers.get('www-authenticate') ?? '', /resource_metadata="/);
    const { access_token: forMcp } = await client.clientCredentialsGrant(configuration, { scope, resource: mcp });
    const listed = await fetch(mcp, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${forMcp}`,
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
      },
      body: JSON.stringify({
        jsonrpc: '2.0',
        id: 1,
        method: 'initialize',
        params: { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'test', version: '1' } },
      }),
    });
    t.is(listed.status, 200);
    await listed.text();

    await stop(first);
    // The same addresses again: cookies and tokens belong to them.
    for (const [name, address] of [
      ['API', api],
      ['OIDC', issuer],
      ['MCP', mcp],
    ] as const)
      env[`SWITCHBOARD_${name}_PORT`] = new URL(address).port;
    const second = await start();
    t.like(JSON.parse((await browser.request(`${api}/me`)).text) as Me, { name: 'Helena Voss' });
    t.is((await rest(api, token, 'GET', '/me')).status, 200);
    await stop(second);
  },
);
