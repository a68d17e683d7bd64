import * as client from 'openid-client';

import { registerAgents } from '../../../cli/seed.ts';
import { demoOrganisation } from '../../../directory/demo-organisation.ts';
import { loadProfiles } from '../../../directory/profiles.ts';
import path from 'node:path';
import { discoverProvider } from '../../../platform/sign-in/provider.ts';
import { startStack } from '../stack.ts';
import type { TestStack } from '../stack.ts';
import { Browser } from '../../../cli/demo/browser.ts';
import type { Page } from '../../../cli/demo/browser.ts';
import type { ProviderUnderTest, RunningTestProvider, TestPerson } from './provider.ts';

const PROFILES = path.resolve(import.meta.dirname, '../../../profiles');
export const MCP_AUDIENCE = 'https://mcp.switchboard.example/mcp';
const ORGANISATION_CLAIM = 'organisation';
const SCOPE = 'switchboard:read switchboard:write';

/** The product with a provider beside it, in which people of the demo organisation have accounts. */
export interface SignInScene {
  readonly stack: TestStack;
  readonly provider: ProviderUnderTest;
  readonly running: RunningTestProvider;
  /** Address of somebody of the demo organisation. */
  readonly emailOf: (name: string) => string;
  /** Signs in with a browser of its own; answers it and the page it ends on. */
  signIn(
    name: string,
    returnTo?: string,
    browser?: Browser,
  ): Promise<{ readonly browser: Browser; readonly page: Page }>;
  /** An access token that a desktop client got for somebody (device flow). */
  desktopToken(name: string, audience?: string): Promise<string>;
  /** An access token that the web client got for somebody (authorization code). */
  webToken(name: string): Promise<string>;
  /** An access token of a client for itself. */
  serviceToken(id: string, audience?: string): Promise<string>;
  close(): Promise<void>;
}

/** People beyond the demo organisation: accounts at the provider that must not be believed. */
export const STRANGERS: readonly TestPerson[] = [
  { name: 'Nobody Known', email: 'nobody@elsewhere.example' },
  { name: 'Unverified', email: 'unverified@example.test', emailVerified: false },
];

/** Starts both; close it in `test.after.always`. */
export async function openSignInScene(
  provider: ProviderUnderTest,
  options: Parameters<typeof startStack>[0] = {},
): Promise<SignInScene> {
  const stack = await startStack({
    worker: false,
    ...options,
    identity: {
      issuer: provider.issuer,
      clientId: provider.clients.web,
      peopleClients: [provider.clients.web],
      exchangeClients: [provider.clients.mcp],
      mcpAudience: MCP_AUDIENCE,
      requireScopes: provider.scopes,
      ...options.identity,
    },
  });
  const { people, agents } = demoOrganisation(PROFILES, loadProfiles(PROFILES));
  await registerAgents(stack.database, stack.organisationId, provider.issuer);
  const organisation = { [ORGANISATION_CLAIM]: stack.organisationId };
  const settings = { audience: 'urn:switchboard:api', mcpAudience: options.identity?.mcpAudience ?? MCP_AUDIENCE };
  const running = await provider.start({
    ...settings,
    apiUrl: stack.apiUrl,
    people: [...people.map(({ name, email }) => ({ name, email })), ...STRANGERS].map((person) => ({
      ...person,
      claims: { ...organisation, roles: ['finance', 'administrator'], administrator: true, role: 'manager' },
    })),
    services: [...agents.map(({ name }) => name), provider.clients.mcp],
    folder: stack.folder,
  });
  const emailOf = (name: string): string => {
    const found = [...people, ...STRANGERS].find((one) => one.name === name);
    if (!found) throw new Error(`Nobody is called ${name}.`);
    return found.email;
  };
  const parts = { stack, provider, running, emailOf, ...settings };
  return {
    stack,
    provider,
    running,
    emailOf,
    signIn: (name, returnTo = '/me', browser = new Browser()) => signIn(parts, name, returnTo, browser),
    desktopToken: (name, audience = settings.audience) => desktopToken(parts, name, audience),
    webToken: (name) => webToken(parts, name),
    serviceToken: async (id, audience = settings.audience) => {
      const secret = running.serviceSecret(id);
      const configuration = await discoverProvider({ issuer: provider.issuer, clientId: id, clientSecret: secret });
      const scope = scopeFor(provider, audience);
      const granted = await client.clientCredentialsGrant(configuration, { scope, resource: audience });
      return granted.access_token;
    },
    async close() {
      await running.close();
      await stack.close();
    },
  };
}

const scopeFor = ({ audienceScope }: ProviderUnderTest, audience: string): string =>
  audienceScope ? `${SCOPE} ${audienceScope(audience)}` : SCOPE;

type Parts = Pick<SignInScene, 'stack' | 'provider' | 'running' | 'emailOf'> & { readonly audience: string };

async function signIn({ stack, running, emailOf }: Parts, name: string, returnTo: string, browser: Browser) {
  const start = await browser.visit(`${stack.apiUrl}/auth/login?return_to=${encodeURIComponent(returnTo)}`);
  return { browser, page: await running.signIn(browser, start, emailOf(name)) };
}

async function desktopToken({ provider, running, emailOf }: Parts, name: string, audience: string): Promise<string> {
  const configuration = await discoverProvider({ issuer: provider.issuer, clientId: provider.clients.desktop });
  const started = await client.initiateDeviceAuthorization(configuration, {
    scope: `openid email offline_access ${scopeFor(provider, audience)}`,
    resource: audience,
  });
  await running.allowDevice(
    new Browser(),
    started.verification_uri_complete ?? started.verification_uri,
    emailOf(name),
  );
  const granted = await client.pollDeviceAuthorizationGrant(
    configuration,
    { ...started, interval: 1 },
    { resource: audience },
  );
  return granted.access_token;
}

/** As a page of ours could get one: the code is taken before the API sees it. */
async function webToken({ stack, provider, running, emailOf, audience }: Parts, name: string): Promise<string> {
  const configuration = await discoverProvider({ issuer: provider.issuer, clientId: provider.clients.web });
  const verifier = client.randomPKCECodeVerifier();
  const state = client.randomState();
  const url = client.buildAuthorizationUrl(configuration, {
    redirect_uri: `${stack.apiUrl}/auth/callback`,
    scope: `openid email ${scopeFor(provider, audience)}`,
    resource: audience,
    state,
    code_challenge: await client.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
  });
  const browser = new Browser();
  const isBack = (next: string): boolean => next.startsWith(`${stack.apiUrl}/auth/callback`);
  const page = await running.signIn(browser, await browser.visit(url.href, {}, isBack), emailOf(name), isBack);
  const granted = await client.authorizationCodeGrant(
    configuration,
    new URL(page.url),
    { pkceCodeVerifier: verifier, expectedState: state },
    { resource: audience },
  );
  return granted.access_token;
}
