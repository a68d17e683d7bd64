import * as client from 'openid-client';

import { discoverProvider } from '../../platform/sign-in/provider.ts';
import { SCOPES } from '../../platform/sign-in/client.ts';
import { RefreshingToken } from '../../platform/sign-in/refreshing-token.ts';
import type { HeldToken } from '../../platform/sign-in/refreshing-token.ts';
import { Browser } from './browser.ts';
import type { Page } from './browser.ts';
import type { Passwords } from './passwords.ts';

/** Somebody at the keyboard. */
export type Credentials = Pick<Passwords['people'][number], 'email' | 'password'>;

/** Where people sign in, and for what. */
export interface SignInPlace {
  readonly apiUrl: string;
  readonly issuer: string;
  readonly clientId: string;
  readonly audience: string;
}

/** Types a person's e-mail and password into the provider's page, where it shows one. */
const typeIn = (browser: Browser, page: Page, { email, password }: Credentials, until?: (url: string) => boolean) =>
  page.text.includes('name="password"') ? browser.submit(page, { email, password }, until) : Promise.resolve(page);

/** Signs somebody in as a browser does: from the API to the provider's page and back; throws where it does not come back. */
export async function signInByBrowser({ apiUrl }: Pick<SignInPlace, 'apiUrl'>, who: Credentials): Promise<Browser> {
  const browser = new Browser();
  const page = await typeIn(browser, await browser.visit(`${apiUrl}/auth/login?return_to=/me`), who);
  if (page.status !== 200 || !page.url.startsWith(apiUrl))
    throw new Error(`${who.email} could not sign in: ${String(page.status)} ${page.text.slice(0, 200)}`);
  return browser;
}

/** Tokens of a person for the API (authorization code with PKCE), renewed ahead of their end. */
export function personTokens(place: SignInPlace, who: Credentials): RefreshingToken {
  let refreshToken: string | undefined;
  const renew = async (): Promise<HeldToken> => {
    const provider = await discoverProvider(place);
    const tokens =
      refreshToken === undefined
        ? await codeGrant(provider, place, who)
        : await client.refreshTokenGrant(provider, refreshToken, { resource: place.audience });
    refreshToken = tokens.refresh_token ?? refreshToken;
    const now = Date.now();
    return { accessToken: tokens.access_token, obtainedAt: now, expiresAt: now + (tokens.expires_in ?? 60) * 1_000 };
  };
  return new RefreshingToken({ held: () => undefined, renew });
}

async function codeGrant(provider: client.Configuration, { apiUrl, audience }: SignInPlace, who: Credentials) {
  const [verifier, state, callback] = [
    client.randomPKCECodeVerifier(),
    client.randomState(),
    `${apiUrl}/auth/callback`,
  ];
  const url = client.buildAuthorizationUrl(provider, {
    redirect_uri: callback,
    scope: SCOPES.person,
    resource: audience,
    state,
    code_challenge: await client.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
  });
  const browser = new Browser();
  // The code is taken on its way back: the API would spend it on a session.
  const isBack = (next: string): boolean => next.startsWith(callback);
  const back = await typeIn(browser, await browser.visit(url.href, {}, isBack), who, isBack);
  const checks = { pkceCodeVerifier: verifier, expectedState: state };
  return client.authorizationCodeGrant(provider, new URL(back.url), checks, { resource: audience });
}
