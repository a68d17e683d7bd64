import express from 'express';
import type { Request, Response, Router } from 'express';

import { revoke } from '../../db/revocations.ts';
import { IssuerAwayError } from '../../platform/tokens/issuer-keys.ts';
import { TokenRefused } from '../../platform/tokens/refused.ts';
import { tokenHolder } from '../authentication/access-tokens.ts';
import { InvalidToken } from '../authentication/invalid-token.ts';
import { signOwnToken } from '../authentication/own-tokens.ts';
import { recordIdentity } from '../authentication/record.ts';
import { resourceMetadata } from '../authentication/resource-metadata.ts';
import { Throttle } from '../authentication/throttle.ts';
import type { ApiDeps } from '../deps.ts';
import { exchange } from './exchange.ts';
import type { ExchangeDeps, Exchanged } from './exchange.ts';
import { ACCESS_TOKEN, EXCHANGE, exchangeForm } from './form.ts';
import { OAuthError } from './oauth-error.ts';

const FAILURES = { name: 'token-failures', limit: 60, seconds: 300 };
const CACHED = 'public, max-age=300';
const form = express.urlencoded({ extended: false, limit: '64kb' });

/** Switchboard's own token service: token exchange, revocation, and the metadata that says so. */
export function mountTokenService(router: Router, deps: ApiDeps): void {
  const { identity, database, profilesOf } = deps;
  const exchangeDeps = { identity, directory: { database, profilesOf, settings: identity.settings } };
  const throttle = new Throttle(database);
  mountMetadata(router, deps);
  router.post('/oauth/token', form, async (req, res) => {
    throttle.check(FAILURES, addressOf(req));
    try {
      res.json(await answerTo(exchangeDeps, deps.limits, req, res));
    } catch (error) {
      const refusal = refusalOf(error);
      if (!refusal) throw error;
      deps.log.info({ error: refusal.code, because: refusal.message }, 'a token was not exchanged');
      await throttle.take(FAILURES, addressOf(req));
      res.status(400).json({ error: refusal.code, error_description: refusal.message });
    }
  });
  router.post('/oauth/revoke', form, async (req, res) => {
    throttle.check(FAILURES, addressOf(req));
    // Whoever tries tokens at random is stopped here too, whatever the answer says of them.
    if (!(await revokePresented(exchangeDeps, deps.limits, req, res))) await throttle.take(FAILURES, addressOf(req));
    res.status(200).json({});
  });
}

const addressOf = (req: Request): string => req.ip ?? '';

function mountMetadata(router: Router, { identity: { settings, keys } }: ApiDeps): void {
  router.get('/.well-known/jwks.json', (_req, res) => {
    res.set('Cache-Control', CACHED).json(keys.published());
  });
  router.get('/.well-known/oauth-protected-resource', (_req, res) => {
    res.set('Cache-Control', CACHED).json(resourceMetadata(settings));
  });
  router.get('/.well-known/oauth-authorization-server', (_req, res) => {
    const { publicUrl } = settings;
    res.set('Cache-Control', CACHED).json({
      issuer: publicUrl,
      token_endpoint: `${publicUrl}/oauth/token`,
      revocation_endpoint: `${publicUrl}/oauth/revoke`,
      jwks_uri: `${publicUrl}/.well-known/jwks.json`,
      grant_types_supported: [EXCHANGE],
      response_types_supported: [],
      token_endpoint_auth_methods_supported: ['none'],
      revocation_endpoint_auth_methods_supported: ['none'],
    });
  });
}

/** Good exchanges count as requests of whoever gets the token: each is signed and put on record. */
async function answerTo(deps: ExchangeDeps, limits: ApiDeps['limits'], req: Request, res: Response): Promise<object> {
  const { grant, audience } = await exchange(deps, exchangeForm(req.body));
  await limits.request(grant.principal);
  const issued = await signOwnToken(deps.identity.keys, { issuer: deps.identity.settings.publicUrl, audience }, grant);
  await recordExchange(deps, { grant, audience }, issued.id, String(res.locals['traceId']));
  return {
    access_token: issued.token,
    issued_token_type: ACCESS_TOKEN,
    token_type: 'Bearer',
    expires_in: grant.seconds,
    scope: grant.scopes.join(' '),
  };
}

/** Who may act for whom from now on, and through whom; never the token. */
const recordExchange = (
  { directory }: ExchangeDeps,
  { grant, audience }: Exchanged,
  tokenId: string,
  traceId: string,
): Promise<unknown> => {
  const { organisation_id, kind, id, acts_for, role } = grant.principal;
  return directory.database.inOrganisation(organisation_id, (sql) =>
    recordIdentity(sql, {
      action: 'token.exchanged',
      user: { kind, id, role, acts_for },
      details: { audience, client: grant.clientId, token_id: tokenId, scopes: [...grant.scopes], via: [...grant.via] },
      traceId,
    }),
  );
};

function refusalOf(error: unknown): OAuthError | undefined {
  if (error instanceof OAuthError) return error;
  if (error instanceof TokenRefused || error instanceof InvalidToken)
    return new OAuthError(error.fault === 'audience' ? 'invalid_target' : 'invalid_grant', error.message);
  return undefined;
}

/**
 * Revokes the token that is presented (RFC 7009): whoever holds it may end it. One that is not valid has ended already.
 * Answers whether it was valid.
 */
async function revokePresented(
  { identity, directory }: ExchangeDeps,
  limits: ApiDeps['limits'],
  req: Request,
  res: Response,
): Promise<boolean> {
  const { token } = (req.body ?? {}) as { readonly token?: unknown };
  if (typeof token !== 'string') return false;
  try {
    const { audience, mcpAudience } = identity.settings;
    const verified = await identity.verify(token, [audience, mcpAudience]);
    const holder = await tokenHolder(directory, verified);
    await limits.request(holder);
    const { organisation_id, kind, id, acts_for, role } = holder;
    await directory.database.transaction(organisation_id, async (sql) => {
      await revoke(sql, [`token:${verified.id}`], new Date((verified.expiresAt + 120) * 1000));
      await recordIdentity(sql, {
        action: 'token.revoked',
        user: { kind, id, role, acts_for },
        details: { token_id: verified.id },
        traceId: String(res.locals['traceId']),
      });
    });
    return true;
  } catch (error) {
    if (error instanceof IssuerAwayError || !refusalOf(error)) throw error;
    return false;
  }
}
