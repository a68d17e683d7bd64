import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import type { ExecutionContext, TestFn } from 'ava';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';

import { createResource } from '../../../mcp-extension/oauth/resource.ts';
import { startMcpHttp } from '../../../mcp-extension/http.ts';
import type { McpHttp } from '../../../mcp-extension/http.ts';
import { createLogger } from '../../../platform/log.ts';
import { freePort } from '../../../platform/ports.ts';
import { loginTokens, SCOPES, signInByDevice, signOut } from '../../../platform/sign-in/client.ts';
import { readLogin, saveLogin } from '../../../platform/sign-in/login-file.ts';
import { callTool, stdioClient } from '../../integration/mcp-extension/clients.ts';
import { rest } from '../rest.ts';
import { Browser } from '../../../cli/demo/browser.ts';
import type { ProviderUnderTest } from './provider.ts';
import { openSignInScene } from './scene.ts';
import type { SignInScene } from './scene.ts';
import type { Me } from './suite.ts';

const log = createLogger({ name: 'test', level: 'silent' });

/** Signing in from a desktop, and the MCP server over stdio and HTTP, with a provider that is described. */
export function desktopSuite(test: TestFn, describe: () => Promise<ProviderUnderTest>): void {
  let scene: SignInScene;
  let mcp: McpHttp;
  test.before('start', async () => {
    const port = await freePort();
    const resource = `http://127.0.0.1:${String(port)}/mcp`;
    scene = await openSignInScene(await describe(), { worker: true, identity: { mcpAudience: resource } });
    const { apiUrl } = scene.stack;
    const clientId = scene.provider.clients.mcp;
    mcp = await startMcpHttp({
      port,
      host: '127.0.0.1',
      apiUrl,
      log,
      resource: createResource({
        resource,
        issuer: scene.provider.issuer,
        publicUrl: apiUrl,
        apiUrl,
        audience: 'urn:switchboard:api',
        clientId,
        clientSecret: scene.running.serviceSecret(clientId),
        maxTokenSeconds: 900,
        requireScopes: scene.provider.scopes,
        log,
      }),
    });
  });
  test.after.always('stop', async () => {
    await mcp.close();
    await scene.close();
  });

  const folderFor = (t: ExecutionContext): string => {
    const folder = mkdtempSync(path.join(tmpdir(), 'switchboard-login-'));
    t.teardown(() => rmSync(folder, { recursive: true, force: true }));
    return folder;
  };
  const signIn = async (file: string, name: string): Promise<void> => {
    const { apiUrl } = scene.stack;
    const allowed: Promise<void>[] = [];
    await signInByDevice(
      file,
      scene.provider.clients.desktop,
      { apiUrl, audience: 'urn:switchboard:api', scope: SCOPES.person },
      ({ address }) => allowed.push(scene.running.allowDevice(new Browser(), address, scene.emailOf(name))),
    );
    await Promise.all(allowed);
  };
  const kinds = async (client: Client) => callTool(client, 'list_tasks', {});
  const mcpClient = async (t: ExecutionContext, token: string): Promise<Client> => {
    const client = new Client({ name: 'test', version: '1.0.0' }, { versionNegotiation: { mode: 'legacy' } });
    const headers = { Authorization: `Bearer ${token}` };
    await client.connect(new StreamableHTTPClientTransport(new URL(mcp.url), { requestInit: { headers } }));
    t.teardown(() => client.close());
    return client;
  };

  test('IDN-1, MCP-5: a desktop login is kept for its owner alone, and the stdio extension works with it', async (t) => {
    const folder = folderFor(t);
    const file = path.join(folder, 'switchboard', 'logins.json');
    await signIn(file, 'Tobias Renn');
    t.is(statSync(file).mode & 0o777, 0o600);
    const client = await stdioClient(t, { SWITCHBOARD_API_URL: scene.stack.apiUrl, XDG_CONFIG_HOME: folder });
    const listed = await kinds(client);
    t.false(listed.failed, listed.text);
    const { body } = await rest<Me>(
      scene.stack.apiUrl,
      readLogin(file, scene.stack.apiUrl)?.access_token,
      'GET',
      '/me',
    );
    t.like(body, { kind: 'agent', acts_for: scene.stack.ids['Tobias Renn'] ?? '' });
    t.true(await signOut(file, scene.stack.apiUrl));
    t.is(readLogin(file, scene.stack.apiUrl), undefined);
    t.false(readFileSync(file, 'utf8').includes('token'));
  });

  test('MCP-5: without a login the extension starts, and says what to do', async (t) => {
    const client = await stdioClient(t, { SWITCHBOARD_API_URL: scene.stack.apiUrl, XDG_CONFIG_HOME: folderFor(t) });
    const { failed, text, problem } = await kinds(client);
    t.true(failed);
    t.regex(text, /npm run login/);
    t.is(problem['code'], 'unauthenticated');
  });

  test('MCP-5: over stdio a service signs in for itself', async (t) => {
    const client = await stdioClient(t, {
      SWITCHBOARD_API_URL: scene.stack.apiUrl,
      SWITCHBOARD_CLIENT_ID: 'legal-agent',
      SWITCHBOARD_CLIENT_SECRET: scene.running.serviceSecret('legal-agent'),
    });
    const { failed, text } = await kinds(client);
    t.false(failed, text);
  });

  test('IDN-2, MCP-5: a login is refreshed ahead, once for all who share it, and survives the provider’s absence', async (t) => {
    const file = path.join(folderFor(t), 'switchboard', 'logins.json');
    const { apiUrl } = scene.stack;
    await signIn(file, 'Samir Dunne');
    const first = readLogin(file, apiUrl);
    if (!first) throw new Error('There is no login.');
    const withEnd = (left: number): void =>
      saveLogin(file, apiUrl, { ...first, obtained_at: Date.now() - 600_000, expires_at: Date.now() + left });
    withEnd(60_000);
    const sources = [loginTokens(file, apiUrl), loginTokens(file, apiUrl)];
    t.deepEqual(await Promise.all(sources.map((one) => one.token())), [first.access_token, first.access_token]);
    for (let waited = 0; waited < 100 && readLogin(file, apiUrl)?.access_token === first.access_token; waited += 1)
      await new Promise((resolve) => setTimeout(resolve, 50));
    const renewed = readLogin(file, apiUrl);
    t.not(renewed?.access_token, first.access_token, 'it was renewed before it ended');
    t.is((await rest(apiUrl, renewed?.access_token, 'GET', '/me')).status, 200);
    // The same file, with a provider that nobody answers for.
    const away = { ...first, issuer: 'http://127.0.0.1:1', obtained_at: Date.now() - 600_000 };
    saveLogin(file, apiUrl, { ...away, expires_at: Date.now() + 30_000 });
    t.is(await loginTokens(file, apiUrl).token(), first.access_token, 'used until it expires');
    saveLogin(file, apiUrl, { ...away, expires_at: Date.now() - 1 });
    await t.throwsAsync(loginTokens(file, apiUrl).token(), { name: 'ProviderAwayError' });
  });

  test('MCP-5: over HTTP the server says where its tokens come from', async (t) => {
    const answer = await fetch(mcp.url, {
      method: 'POST',
      body: '{}',
      headers: { 'content-type': 'application/json' },
    });
    t.is(answer.status, 401);
    const [, address = ''] = /resource_metadata="([^"]+)"/.exec(answer.headers.get('www-authenticate') ?? '') ?? [];
    t.regex(address, /\/\.well-known\/oauth-protected-resource\/mcp$/);
    for (const url of [address, address.replace(/\/mcp$/, '')]) {
      const metadata = (await (await fetch(url)).json()) as Record<string, unknown>;
      t.is(metadata['resource'], mcp.url);
      t.is((metadata['authorization_servers'] as string[])[0], scene.provider.issuer);
    }
  });

  test('MCP-5: a token for the MCP server is exchanged; nothing else is taken, and nothing is passed through', async (t) => {
    const token = await scene.desktopToken('Greta Mbeki', mcp.url);
    const client = await mcpClient(t, token);
    const { failed, text } = await kinds(client);
    t.false(failed, text);
    for (const [wrong, because] of [
      [await scene.desktopToken('Greta Mbeki'), /another audience/],
      [scene.stack.keys['Helena Voss'] ?? '', /switched off/],
      ['nonsense', /no JSON Web Token/],
    ] as const) {
      const headers = { authorization: `Bearer ${wrong}`, 'content-type': 'application/json' };
      const answer = await fetch(mcp.url, { method: 'POST', body: '{}', headers });
      t.is(answer.status, 401);
      t.regex(answer.headers.get('www-authenticate') ?? '', /error="invalid_token"/);
      t.regex(await answer.text(), because);
    }
  });

  test('MCP-5: a client whose token was renewed stays in its session; another’s token does not get in', async (t) => {
    const initialize = {
      jsonrpc: '2.0',
      id: 1,
      method: 'initialize',
      params: { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'test', version: '1' } },
    };
    const send = async (token: string, body: object, session?: string): Promise<Response> =>
      fetch(mcp.url, {
        method: 'POST',
        body: JSON.stringify(body),
        headers: {
          authorization: `Bearer ${token}`,
          'content-type': 'application/json',
          accept: 'application/json, text/event-stream',
          ...(session !== undefined && { 'mcp-session-id': session, 'mcp-protocol-version': '2025-06-18' }),
        },
      });
    const opened = await send(await scene.desktopToken('Felix Amaro', mcp.url), initialize);
    const session = opened.headers.get('mcp-session-id') ?? '';
    await opened.text();
    const ping = { jsonrpc: '2.0', id: 2, method: 'ping' };
    const renewed = await send(await scene.desktopToken('Felix Amaro', mcp.url), ping, session);
    t.is(renewed.status, 200);
    await renewed.text();
    const other = await send(await scene.desktopToken('Greta Mbeki', mcp.url), ping, session);
    t.is(other.status, 404);
    await other.text();
  });
}
