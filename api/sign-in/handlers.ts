import type { Request, Response, Router } from 'express';
import * as client from 'openid-client';

import { scopesWith } from '../../platform/sign-in/client.ts';
import { discoverProvider } from '../../platform/sign-in/provider.ts';
import { Throttle } from '../authentication/throttle.ts';
import type { ApiDeps } from '../deps.ts';
import { toApiError } from '../errors.ts';
import { ApiError } from '../problem.ts';
import { rememberLogin, setSession, takeLogin } from './cookies.ts';
import { beginSession, recordRefusal } from './begin.ts';
import { signOut } from './end.ts';
import { failurePage } from './page.ts';
import { safeReturnTo } from './return-to.ts';

const STARTS = { name: 'sign-in-starts', limit: 300, seconds: 300 };
const FAILURES = { name: 'sign-in-failures', limit: 30, seconds: 300 };
const ACCOUNT = { name: 'sign-ins', limit: 30, seconds: 900 };

/** The provider, discovered when somebody first signs in, and again when that failed. */
export type FindProvider = () => Promise<client.Configuration>;

function findProvider({ identity: { settings }, log }: ApiDeps): FindProvider {
  const { issuer, clientId, clientSecret } = settings;
  let found: Promise<client.Configuration> | undefined;
  return async () => {
    if (issuer === undefined)
      throw new ApiError({ code: 'unavailable', detail: 'No identity provider is set: see SWITCHBOARD_OIDC_ISSUER.' });
    found ??= discoverProvider({ issuer, clientId, clientSecret });
    try {
      return await found;
    } catch (error) {
      found = undefined;
      log.warn({ err: error, issuer }, 'the identity provider was not found');
      throw new ApiError({ code: 'unavailable', detail: 'The identity provider does not answer now.' });
    }
  };
}

const callbackUrl = ({ identity: { settings } }: ApiDeps): string => `${settings.publicUrl}/auth/callback`;

/** Signing in and out with a browser: authorization code with PKCE (OpenID Connect Core 1.0, RFC 7636, RFC 9700). */
export function mountBrowserSignIn(router: Router, deps: ApiDeps): void {
  const find = findProvider(deps);
  const throttle = new Throttle(deps.database);
  router.get('/auth/login', async (req, res) => {
    await throttle.take(STARTS, req.ip ?? '');
    res.redirect(303, await begin(deps, await find(), req, res));
  });
  router.get('/auth/callback', async (req, res) => {
    throttle.check(FAILURES, req.ip ?? '');
    const provider = await find();
    try {
      await finish(deps, provider, throttle, req, res);
    } catch (error) {
      // What is away now is no failure of whoever signs in.
      if (toApiError(error)?.code === 'unavailable') throw error;
      const told = await refuse(deps, error, res);
      await throttle.take(FAILURES, req.ip ?? '');
      failurePage(res, told);
    }
  });
  router.post('/auth/logout', (req, res) => signOut(deps, find, req, res));
}

async function begin(deps: ApiDeps, provider: client.Configuration, req: Request, res: Response): Promise<string> {
  const login = {
    state: client.randomState(),
    nonce: client.randomNonce(),
    verifier: client.randomPKCECodeVerifier(),
    return_to: safeReturnTo(req.query['return_to'], deps.identity.settings.publicUrl),
  };
  await rememberLogin(res, deps.identity, login);
  const url = client.buildAuthorizationUrl(provider, {
    redirect_uri: callbackUrl(deps),
    scope: scopesWith('openid email profile', deps.identity.settings.extraScopes),
    state: login.state,
    nonce: login.nonce,
    code_challenge: await client.calculatePKCECodeChallenge(login.verifier),
    code_challenge_method: 'S256',
  });
  return url.href;
}

const refused = (detail: string): ApiError => new ApiError({ code: 'unauthenticated', detail });

async function finish(
  deps: ApiDeps,
  provider: client.Configuration,
  throttle: Throttle,
  req: Request,
  res: Response,
): Promise<void> {
  const state = req.query['state'];
  const login = typeof state === 'string' ? await takeLogin(req, res, deps.identity, state) : undefined;
  if (!login) throw refused('This sign-in was not begun in this browser, or too long ago: begin again.');
  const current = new URL(callbackUrl(deps));
  current.search = new URL(req.originalUrl, current).search;
  const tokens = await client.authorizationCodeGrant(provider, current, {
    pkceCodeVerifier: login.verifier,
    expectedState: login.state,
    expectedNonce: login.nonce,
    idTokenExpected: true,
  });
  const claims = await claimsOf(provider, tokens);
  const id = await beginSession(deps, claims, req, String(res.locals['traceId']), (userId) =>
    throttle.take(ACCOUNT, userId),
  );
  setSession(res, deps.identity, id);
  res.redirect(303, login.return_to);
}

type Tokens = Awaited<ReturnType<typeof client.authorizationCodeGrant>>;
type Claims = Readonly<Record<string, unknown>> & { readonly sub: string };

/** What the provider says of the person: in the id token, or where that is thin, when asked with the access token. */
async function claimsOf(provider: client.Configuration, tokens: Tokens): Promise<Claims> {
  const claims = tokens.claims();
  if (!claims) throw refused('The identity provider sent no id token.');
  if (claims['email'] !== undefined || provider.serverMetadata().userinfo_endpoint === undefined) return claims;
  const more = await client.fetchUserInfo(provider, tokens.access_token, claims.sub).catch(() => ({}));
  return { ...more, ...claims };
}

async function refuse(deps: ApiDeps, error: unknown, res: Response): Promise<ApiError> {
  // The library's errors may quote what the provider said; the log scrubs it, the browser is told less.
  if (!(error instanceof ApiError)) deps.log.warn({ err: error }, 'a sign-in failed');
  const told = error instanceof ApiError ? error : refused('The identity provider refused this sign-in: begin again.');
  await recordRefusal(deps, told, String(res.locals['traceId']));
  return told;
}
