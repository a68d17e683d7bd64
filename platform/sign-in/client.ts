import * as client from 'openid-client';

import { fetchJson } from '../tokens/fetch-json.ts';
import { ProviderAwayError, SignInNeededError } from './errors.ts';
import { readLogin, saveLogin, withLogins } from './login-file.ts';
import type { Login } from './login-file.ts';
import { discoverProvider } from './provider.ts';
import type { ClientIdentity } from './provider.ts';
import { RefreshingToken } from './refreshing-token.ts';
import type { HeldToken } from './refreshing-token.ts';

/** Where tokens come from and what they are for. */
export interface SignInTarget {
  readonly apiUrl: string;
  /** Asked of the API unless given. */
  readonly issuer?: string | undefined;
  readonly audience: string;
  readonly scope: string;
}

const SCOPE = 'switchboard:read switchboard:write';
/** What is asked for at a sign-in that is kept, at one that is not, and without a person. */
export const SCOPES = {
  person: `openid email offline_access ${SCOPE}`,
  once: `openid email ${SCOPE}`,
  service: SCOPE,
} as const;

/** Scopes with those that an installation asks for in addition: some providers put an audience behind one. */
export const scopesWith = (scopes: string, extra: readonly string[]): string => [scopes, ...extra].join(' ');

/** The identity provider of an API, as it says itself (RFC 9728). */
export async function issuerOf({ apiUrl, issuer }: Pick<SignInTarget, 'apiUrl' | 'issuer'>): Promise<string> {
  if (issuer !== undefined) return issuer;
  const metadata = await fetchJson(`${apiUrl.replace(/\/$/, '')}/.well-known/oauth-protected-resource`);
  const [found] = Array.isArray(metadata['authorization_servers'])
    ? (metadata['authorization_servers'] as unknown[])
    : [];
  if (typeof found === 'string') return found;
  throw new Error(`${apiUrl} names no identity provider: it takes development keys only (SWITCHBOARD_API_KEY).`);
}

type Tokens = Awaited<ReturnType<typeof client.clientCredentialsGrant>>;

function loginOf(identity: ClientIdentity, audience: string, tokens: Tokens, former?: Login): Login {
  const refresh = tokens.refresh_token ?? former?.refresh_token;
  return {
    issuer: identity.issuer,
    client_id: identity.clientId,
    audience,
    access_token: tokens.access_token,
    ...(refresh !== undefined && { refresh_token: refresh }),
    obtained_at: Date.now(),
    expires_at: Date.now() + (tokens.expires_in ?? 60) * 1000,
  };
}

const heldOf = (login: Login): HeldToken => ({
  accessToken: login.access_token,
  obtainedAt: login.obtained_at,
  expiresAt: login.expires_at,
});

/** What a person is told to do at a sign-in by device flow (RFC 8628). */
export interface DevicePrompt {
  readonly address: string;
  readonly code: string;
  readonly minutes: number;
}

/** Signs a person in by device flow and keeps the tokens; `prompt` tells where to enter which code. */
export async function signInByDevice(
  file: string,
  clientId: string,
  target: SignInTarget,
  prompt: (told: DevicePrompt) => void,
): Promise<Login> {
  const identity = { issuer: await issuerOf(target), clientId };
  const provider = await discoverProvider(identity);
  const started = await client.initiateDeviceAuthorization(provider, {
    scope: target.scope,
    resource: target.audience,
  });
  prompt({
    address: started.verification_uri_complete ?? started.verification_uri,
    code: started.user_code,
    minutes: Math.ceil(started.expires_in / 60),
  });
  const tokens = await client.pollDeviceAuthorizationGrant(provider, started, { resource: target.audience });
  const login = loginOf(identity, target.audience, tokens);
  await withLogins(file, () => {
    saveLogin(file, target.apiUrl, login);
    return Promise.resolve();
  });
  return login;
}

/** Forgets a sign-in, at the provider too where it offers that; tells whether there was one. */
export async function signOut(file: string, apiUrl: string): Promise<boolean> {
  return withLogins(file, async () => {
    const login = readLogin(file, apiUrl);
    if (!login) return false;
    saveLogin(file, apiUrl, undefined);
    const { issuer, client_id: clientId, refresh_token, access_token } = login;
    const provider = await discoverProvider({ issuer, clientId });
    await client.tokenRevocation(provider, refresh_token ?? access_token);
    return true;
  });
}

const signInAgain = (apiUrl: string): SignInNeededError =>
  new SignInNeededError(`Nobody is signed in at ${apiUrl}. Run: npm run login`);

/** Tokens of the person who is signed in at an API: kept in the file, which several processes share. */
export const loginTokens = (
  file: string,
  apiUrl: string,
  onFailure: (error: unknown) => void = () => undefined,
): RefreshingToken =>
  new RefreshingToken({
    held: () => {
      const login = readLogin(file, apiUrl);
      if (!login) throw signInAgain(apiUrl);
      return heldOf(login);
    },
    renew: () => withLogins(file, async () => heldOf(await refreshed(file, apiUrl))),
    onFailure,
  });

async function refreshed(file: string, apiUrl: string): Promise<Login> {
  const login = readLogin(file, apiUrl);
  if (!login) throw signInAgain(apiUrl);
  // Another process was quicker: refreshing again would spend a token that it holds.
  if (login.expires_at - Date.now() > (login.expires_at - login.obtained_at) / 2) return login;
  if (login.refresh_token === undefined) throw signInAgain(apiUrl);
  const identity = { issuer: login.issuer, clientId: login.client_id };
  const { refresh_token } = login;
  const tokens = await answered(identity.issuer, signInAgain(apiUrl), async () =>
    client.refreshTokenGrant(await discoverProvider(identity), refresh_token, { resource: login.audience }),
  );
  const next = loginOf(identity, login.audience, tokens, login);
  saveLogin(file, apiUrl, next);
  return next;
}

/** Tokens of a client for itself (client credentials), kept in memory. */
export function serviceTokens(
  { clientId, clientSecret }: { readonly clientId: string; readonly clientSecret: string },
  target: SignInTarget,
  onFailure: (error: unknown) => void = () => undefined,
): RefreshingToken {
  const refused = new SignInNeededError(
    'The identity provider does not accept SWITCHBOARD_CLIENT_ID and SWITCHBOARD_CLIENT_SECRET.',
  );
  let provider: client.Configuration | undefined;
  const renew = async (): Promise<HeldToken> => {
    const issuer = await issuerOf(target);
    const tokens = await answered(issuer, refused, async () => {
      provider ??= await discoverProvider({ issuer, clientId, clientSecret });
      return client.clientCredentialsGrant(provider, { scope: target.scope, resource: target.audience });
    });
    return heldOf(loginOf({ issuer, clientId }, target.audience, tokens));
  };
  return new RefreshingToken({ held: () => undefined, renew, onFailure });
}

/** Tells a refusal of the provider from its absence: the one needs a person, the other passes. */
async function answered<T>(issuer: string, refusal: Error, ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof client.ResponseBodyError && error.status < 500) throw refusal;
    throw new ProviderAwayError(issuer, { cause: error });
  }
}
