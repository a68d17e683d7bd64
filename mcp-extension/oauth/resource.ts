import { createHmac, randomBytes } from 'node:crypto';

import type { AuthInfo } from '@modelcontextprotocol/server';

import type { Logger } from '../../platform/log.ts';
import { scopesWith, serviceTokens, SCOPES } from '../../platform/sign-in/client.ts';
import { IssuerAwayError, IssuerKeys } from '../../platform/tokens/issuer-keys.ts';
import { TokenRefused } from '../../platform/tokens/refused.ts';
import { claimedIssuer, verifyAccessToken } from '../../platform/tokens/verify.ts';
import type { AccessToken } from '../../platform/tokens/verify.ts';
import type { Credentials } from '../credentials.ts';
import { SignInNeededError } from '../../platform/sign-in/errors.ts';
import { createExchange } from './exchange.ts';

/** What the MCP server is as a protected resource (RFC 9728), and as a client of its own. */
export interface ResourceSettings {
  /** Address of the MCP server, and audience of the tokens for it. */
  readonly resource: string;
  readonly issuer: string;
  /** Public address of the API, whose token service issues tokens for the MCP server too. */
  readonly publicUrl: string;
  readonly apiUrl: string;
  readonly audience: string;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly maxTokenSeconds: number;
  readonly requireScopes: boolean;
  /** Scopes that it asks for in addition when it signs in for itself. */
  readonly extraScopes?: readonly string[];
  readonly log: Pick<Logger, 'warn'>;
}

/** A request without a token that counts here: what the answer is, and its challenge. */
export class NotAuthorised extends Error {
  readonly status: 401 | 403 | 503;
  readonly error: string | undefined;
  readonly scope: string | undefined;

  constructor(status: 401 | 403 | 503, message: string, error?: string, scope?: string) {
    super(message);
    this.name = 'NotAuthorised';
    this.status = status;
    this.error = error;
    this.scope = scope;
  }
}

/** The MCP server as an OAuth 2.1 resource server. */
export interface ProtectedResource {
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly metadataUrl: string;
  /** Verifies a token; answers who calls, under a key that stays the same when their token is renewed. */
  authorise(token: string): Promise<AuthInfo>;
  /** The token with which the API is called for such a key. */
  readonly credentials: Credentials;
}

const MOST_CALLERS = 5_000;
const SCOPE_NAMES = SCOPES.service.split(' ');

/** Serves tokens of the issuer, and of Switchboard's own token service, that were issued for the MCP server. */
export function createResource(settings: ResourceSettings): ProtectedResource {
  const { resource, issuer, publicUrl, apiUrl, audience, clientId, clientSecret, log } = settings;
  const onFailure = (error: unknown): void => log.warn({ because: String(error).slice(0, 200) }, 'no token of its own');
  const scope = scopesWith(SCOPES.service, settings.extraScopes ?? []);
  const own = serviceTokens({ clientId, clientSecret }, { apiUrl, issuer, audience, scope }, onFailure);
  const exchange = createExchange(apiUrl, own);
  const latest = new Map<string, string>();
  // Keys of callers seal what clients carry: nobody may guess one. All processes with the same secret know each other's.
  const secret = clientSecret === '' ? randomBytes(32).toString('hex') : clientSecret;
  const verify = verifierOf(settings);
  const metadataUrl = metadataAddress(resource);
  return {
    metadataUrl,
    metadata: {
      resource,
      authorization_servers: [issuer, publicUrl],
      scopes_supported: SCOPE_NAMES,
      bearer_methods_supported: ['header'],
      resource_name: 'Switchboard MCP server',
    },
    authorise: async (text) => {
      const token = await verify(text);
      if (settings.requireScopes && !token.scopes.some((scope) => SCOPE_NAMES.includes(scope)))
        throw new NotAuthorised(403, 'The token lacks a scope.', 'insufficient_scope', SCOPES.service);
      const key = ownerOf(token, secret);
      if (latest.size >= MOST_CALLERS) latest.clear();
      latest.set(key, text);
      return { token: key, clientId: token.clientId, scopes: [...token.scopes], expiresAt: token.expiresAt };
    },
    credentials: async (key) => {
      const token = latest.get(key);
      if (token === undefined) throw new SignInNeededError('Send a valid access token with the next request.');
      return exchange(token);
    },
  };
}

/** `https://host/mcp` has its metadata at `https://host/.well-known/oauth-protected-resource/mcp` (RFC 9728, section 3.1). */
function metadataAddress(resource: string): string {
  const url = new URL(resource);
  const path = url.pathname === '/' ? '' : url.pathname;
  return `${url.origin}/.well-known/oauth-protected-resource${path}`;
}

/** The same caller with the same rights, whichever token shows it. */
function ownerOf({ issuer, subject, clientId, scopes, claims }: AccessToken, secret: string): string {
  const who = [issuer, subject, clientId, [...scopes].sort(), claims['act'] ?? null, claims['organisation'] ?? null];
  return `caller_${createHmac('sha256', secret).update(JSON.stringify(who)).digest('base64url')}`;
}

function verifierOf(settings: ResourceSettings): (token: string) => Promise<AccessToken> {
  const { issuer, publicUrl, resource, maxTokenSeconds: maxSeconds, log } = settings;
  const onFailure = (error: Error): void => log.warn({ because: error.message }, 'keys were not read');
  const keys = [
    new IssuerKeys({ issuer, onFailure }),
    new IssuerKeys({ issuer: publicUrl, metadata: '/.well-known/oauth-authorization-server', onFailure }),
  ];
  return async (token) => {
    try {
      const claimed = claimedIssuer(token);
      const found = keys.find((one) => one.issuer === claimed);
      if (!found) throw new TokenRefused('issuer', 'The token is of an issuer that is not trusted here.');
      const rules = { issuer: claimed, find: found.find, audiences: [resource], maxSeconds };
      return await verifyAccessToken(token, rules);
    } catch (error) {
      if (error instanceof TokenRefused) throw new NotAuthorised(401, error.message, 'invalid_token');
      if (error instanceof IssuerAwayError) throw new NotAuthorised(503, error.message);
      throw error;
    }
  };
}
