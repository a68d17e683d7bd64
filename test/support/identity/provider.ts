import { randomBytes } from 'node:crypto';

import type { ServiceClient } from '../../../identity/accounts.ts';
import { startProvider } from '../../../identity/provider.ts';
import { readSecrets } from '../../../identity/secrets.ts';
import { Store } from '../../../identity/store.ts';
import { freePort } from '../../../platform/ports.ts';
import type { Browser, Page } from '../../../cli/demo/browser.ts';

/** Somebody who is made known to a provider before the tests. */
export interface TestPerson {
  readonly name: string;
  readonly email: string;
  readonly emailVerified?: boolean;
  /** Claims that the provider puts into their tokens. */
  readonly claims?: Readonly<Record<string, string | boolean | readonly string[]>>;
}

/** What a provider is told of the installation under test. */
export interface Installation {
  readonly apiUrl: string;
  readonly people: readonly TestPerson[];
  readonly audience: string;
  readonly mcpAudience: string;
  /** Ids of clients that sign in for themselves. */
  readonly services: readonly string[];
  /** A folder for its files. */
  readonly folder: string;
}

/** A provider that the sign-in suite runs against: see test/integration/identity/sign-in.test.ts. */
export interface ProviderUnderTest {
  readonly name: string;
  /** Known before it runs, since the API is started with it. */
  readonly issuer: string;
  readonly clients: { readonly web: string; readonly desktop: string; readonly mcp: string };
  /** Whether it sends scopes of ours. */
  readonly scopes: boolean;
  /** The scope that brings an audience, where the provider knows no resource indicators (RFC 8707). */
  readonly audienceScope?: (audience: string) => string;
  start(installation: Installation): Promise<RunningTestProvider>;
}

/** The provider with people and clients in it. */
export interface RunningTestProvider {
  readonly serviceSecret: (id: string) => string;
  /** Fills in the provider's pages until it sends the browser back. */
  signIn(browser: Browser, page: Page, email: string, until?: (url: string) => boolean): Promise<Page>;
  /** Says on the provider's pages that a device may act for somebody. */
  allowDevice(browser: Browser, verificationUrl: string, email: string): Promise<void>;
  close(): Promise<void>;
}

/** The development provider, on a free port. */
export async function developmentProvider(): Promise<ProviderUnderTest> {
  const port = await freePort();
  return {
    name: 'development provider',
    issuer: `http://127.0.0.1:${String(port)}`,
    clients: { web: 'switchboard-web', desktop: 'switchboard-cli', mcp: 'switchboard-mcp' },
    scopes: true,
    start: (installation) => startDevelopment(port, installation),
  };
}

async function startDevelopment(port: number, installation: Installation): Promise<RunningTestProvider> {
  const { people, services, apiUrl, audience, mcpAudience, folder } = installation;
  const passwords = new Map(people.map(({ email }) => [email, randomBytes(12).toString('hex')]));
  const clients: ServiceClient[] = services.map((id) => ({ id, secret: randomBytes(24).toString('hex') }));
  const running = await startProvider({
    port,
    accounts: people.map(({ name, email, emailVerified = true, claims = {} }) => ({
      subject: `subject-of-${email}`,
      email,
      emailVerified,
      name,
      password: passwords.get(email) ?? '',
      claims,
    })),
    clients,
    secrets: readSecrets(folder),
    store: new Store(),
    audiences: [audience, mcpAudience],
    apiUrls: [apiUrl],
  });
  const signIn: RunningTestProvider['signIn'] = async (browser, page, email, until) => {
    if (!page.text.includes('name="password"')) return page;
    return browser.submit(page, { email, password: passwords.get(email) ?? '' }, until);
  };
  return {
    serviceSecret: (id) => clients.find((one) => one.id === id)?.secret ?? '',
    signIn,
    async allowDevice(browser, verificationUrl, email) {
      let page = await browser.visit(verificationUrl);
      for (let step = 0; step < 4 && !page.text.includes('Connected'); step += 1)
        page = page.text.includes('name="password"')
          ? await signIn(browser, page, email)
          : await browser.submit(page, {});
      if (!page.text.includes('Connected')) throw new Error(`The device was not allowed: ${page.text.slice(0, 500)}`);
    },
    close: () => running.close(),
  };
}
