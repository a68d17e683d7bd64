import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { freePort } from '../../../platform/ports.ts';
import { signalProcess } from '../../../platform/stop-process.ts';
import type { Browser, Page } from '../../../cli/demo/browser.ts';
import { KeycloakAdmin } from './keycloak-admin.ts';
import { fillRealm } from './keycloak-realm.ts';
import type { Installation, ProviderUnderTest, RunningTestProvider } from './provider.ts';

const REALM = 'switchboard';
const STARTS_WITHIN_MS = 180_000;
const STOPS_WITHIN_MS = 15_000;
const CLIENTS = { web: 'switchboard-web', desktop: 'switchboard-cli', mcp: 'switchboard-mcp' } as const;

/** Scopes that bring the audience of the API or of the MCP server: Keycloak knows no resource indicators. */
export const AUDIENCE_SCOPES = { api: 'audience-api', mcp: 'audience-mcp' } as const;

/** Keycloak, on a free port, with a realm of its own that is gone with it. */
export async function keycloakProvider(folder: string): Promise<ProviderUnderTest> {
  const port = await freePort();
  const url = `http://127.0.0.1:${String(port)}`;
  return {
    name: 'Keycloak',
    issuer: `${url}/realms/${REALM}`,
    clients: CLIENTS,
    scopes: true,
    audienceScope: (audience) => (audience.startsWith('urn:') ? AUDIENCE_SCOPES.api : AUDIENCE_SCOPES.mcp),
    start: (installation) => startKeycloak({ folder, port, url }, installation),
  };
}

interface Place {
  readonly folder: string;
  readonly port: number;
  readonly url: string;
}

async function startKeycloak({ folder, port, url }: Place, installation: Installation): Promise<RunningTestProvider> {
  const home = mkdtempSync(path.join(os.tmpdir(), 'switchboard-keycloak-'));
  cpSync(folder, home, { recursive: true });
  const password = randomBytes(12).toString('hex');
  const env = {
    PATH: process.env['PATH'],
    HOME: home,
    KC_BOOTSTRAP_ADMIN_USERNAME: 'admin',
    KC_BOOTSTRAP_ADMIN_PASSWORD: password,
    JAVA_OPTS_APPEND: '-Xmx512m',
  };
  const args = ['start-dev', '--db=dev-mem', '--cache=local', `--http-port=${String(port)}`, '--http-host=127.0.0.1'];
  const child = spawn(path.join(home, 'bin/kc.sh'), args, { env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (text) => (said = (said + String(text)).slice(-4_000)));
  const stop = async (): Promise<void> => {
    // kc.sh starts Java as its child: both are of one group.
    const group = -(child.pid ?? 0);
    signalProcess(group, 'SIGTERM');
    const late = setTimeout(() => signalProcess(group, 'SIGKILL'), STOPS_WITHIN_MS);
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    clearTimeout(late);
    rmSync(home, { recursive: true, force: true });
  };
  try {
    await answers(`${url}/realms/master`, () => said);
    const admin = await KeycloakAdmin.signIn(url, password);
    const secrets = await fillRealm(admin, { realm: REALM, clients: CLIENTS, scopes: AUDIENCE_SCOPES, installation });
    return { ...pages(secrets.passwords), serviceSecret: (id) => secrets.clients.get(id) ?? '', close: stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function answers(url: string, said: () => string): Promise<void> {
  const deadline = Date.now() + STARTS_WITHIN_MS;
  while (Date.now() < deadline) {
    const response = await fetch(url).catch(() => undefined);
    if (response?.ok) return;
    await sleep(500);
  }
  throw new Error(`Keycloak did not start:\n${said()}`);
}

/** Its pages, filled in as a person would. */
function pages(passwords: ReadonlyMap<string, string>): Pick<RunningTestProvider, 'signIn' | 'allowDevice'> {
  const signIn = async (
    browser: Browser,
    page: Page,
    email: string,
    until?: (url: string) => boolean,
  ): Promise<Page> => {
    if (!page.text.includes('name="password"')) return page;
    return browser.submit(page, { username: email, password: passwords.get(email) ?? '' }, until);
  };
  return {
    signIn,
    async allowDevice(browser, verificationUrl, email) {
      let page = await signIn(browser, await browser.visit(verificationUrl), email);
      if (page.text.includes('name="accept"')) page = await browser.submit(page, { accept: 'Yes' });
      if (!page.text.includes('Device Login Successful'))
        throw new Error(`The device was not allowed: ${page.text.slice(0, 800)}`);
    },
  };
}
