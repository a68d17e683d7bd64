import { z } from 'zod';

import type { PlainAnswer, PlainRoute } from './plain-route.ts';

/** The grant of RFC 8693, the only one here. */
export const EXCHANGE_GRANT = 'urn:ietf:params:oauth:grant-type:token-exchange';
export const ACCESS_TOKEN_TYPE = 'urn:ietf:params:oauth:token-type:access_token';
const TYPES = [ACCESS_TOKEN_TYPE, 'urn:ietf:params:oauth:token-type:jwt'] as const;
const Token = z.string().min(1).max(16_384);

/** The parameters of a token exchange (RFC 8693, section 2.1), but for `grant_type`. */
export const ExchangeForm = z.object({
  subject_token: Token.describe('Token of the person, or of whoever asked the MCP server'),
  subject_token_type: z.enum(TYPES),
  actor_token: Token.describe('Token of the agent, or of the MCP server, itself'),
  actor_token_type: z.enum(TYPES),
  requested_token_type: z.enum(TYPES).optional(),
  audience: z.string().optional(),
  resource: z.string().optional(),
  scope: z.string().max(1_000).optional(),
});

const JSON_TYPE = 'application/json';
const Address = z.string().describe('An address');
const Keys = z.object({ keys: z.array(z.looseObject({ kid: z.string(), kty: z.string() })) });
const OAuthFailure = z.object({ error: z.string(), error_description: z.string() });
const refusedByOAuth: PlainAnswer = {
  status: 400,
  description: 'Refused, in the form of RFC 6749, section 5.2',
  type: JSON_TYPE,
  schema: OAuthFailure,
};
const toProvider = (description: string, leads: string): PlainAnswer => ({
  status: 303,
  description,
  headers: { Location: leads, 'Set-Cookie': 'What the browser has to remember' },
});

const login: PlainRoute = {
  name: 'begin_sign_in',
  method: 'get',
  path: '/auth/login',
  summary: 'Sends a browser to the OpenID provider: authorization code with PKCE, state and nonce.',
  public: true,
  query: z.object({
    return_to: z.string().max(2_000).optional().describe('Path to come back to; anything else leads to the start'),
  }),
  others: [toProvider('On to the provider', 'The provider')],
  errors: ['rate_limited', 'unavailable'],
};
const callback: PlainRoute = {
  name: 'finish_sign_in',
  method: 'get',
  path: '/auth/callback',
  summary: 'Where the provider sends the browser back to; begins the session and goes on to return_to.',
  public: true,
  query: z.looseObject({
    state: z.string().optional(),
    code: z.string().optional(),
    error: z.string().optional().describe('Why the provider refused'),
  }),
  others: [
    toProvider('Signed in', 'The path of return_to'),
    { status: 401, description: 'Not signed in, and why', type: 'text/html', schema: z.string() },
  ],
  errors: ['rate_limited', 'unavailable'],
};
const logout: PlainRoute = {
  name: 'sign_out',
  method: 'post',
  path: '/auth/logout',
  summary: 'Ends the browser session of the cookie, and tells where to sign out at the provider.',
  description: 'With a cookie it needs the header X-Switchboard-CSRF, as every change does.',
  public: true,
  answer: {
    type: JSON_TYPE,
    schema: z.object({ signed_out: z.literal(true), provider_sign_out: Address.nullable() }),
  },
  errors: ['forbidden', 'unavailable'],
};
const token: PlainRoute = {
  name: 'exchange_token',
  method: 'post',
  path: '/oauth/token',
  summary: 'Exchanges tokens (RFC 8693) for one that stands for a person and acts through an agent.',
  description: 'Nothing else is issued here: all other tokens come from the OpenID provider.',
  public: true,
  form: ExchangeForm.extend({ grant_type: z.literal(EXCHANGE_GRANT) }),
  answer: {
    type: JSON_TYPE,
    schema: z.object({
      access_token: z.string(),
      issued_token_type: z.literal(ACCESS_TOKEN_TYPE),
      token_type: z.literal('Bearer'),
      expires_in: z.number().describe('Seconds, 300 at most'),
      scope: z.string(),
    }),
  },
  others: [refusedByOAuth],
  errors: ['payload_too_large', 'unsupported_media_type', 'rate_limited', 'unavailable'],
};
const revocation: PlainRoute = {
  name: 'revoke_token',
  method: 'post',
  path: '/oauth/revoke',
  summary: 'Ends the token that is presented, and all that were exchanged for it (RFC 7009).',
  description: 'Answers 200 for a token that is not valid too.',
  public: true,
  form: z.object({ token: Token }),
  answer: { type: JSON_TYPE, schema: z.object({}) },
  errors: ['malformed_body', 'payload_too_large', 'unsupported_media_type', 'rate_limited', 'unavailable'],
};

const metadata = (name: string, file: string, summary: string, schema: z.ZodType): PlainRoute => ({
  name,
  method: 'get',
  path: `/.well-known/${file}`,
  summary,
  public: true,
  answer: { type: JSON_TYPE, schema },
  errors: [],
});

const ResourceMetadata = z.looseObject({
  resource: Address,
  authorization_servers: z.array(Address),
  scopes_supported: z.array(z.string()),
  bearer_methods_supported: z.array(z.string()),
});
const ServerMetadata = z.looseObject({
  issuer: Address,
  token_endpoint: Address,
  revocation_endpoint: Address,
  jwks_uri: Address,
  grant_types_supported: z.array(z.string()),
});

/** Signing in by browser, the token service, and the metadata that clients find both by. */
export const signInRoutes: readonly PlainRoute[] = [
  login,
  callback,
  logout,
  token,
  revocation,
  metadata('get_token_keys', 'jwks.json', 'Public keys of exchanged tokens, as a JWK set.', Keys),
  metadata(
    'get_resource_metadata',
    'oauth-protected-resource',
    'Which OpenID provider issues tokens for the API (RFC 9728).',
    ResourceMetadata,
  ),
  metadata(
    'get_token_service_metadata',
    'oauth-authorization-server',
    'Where the token service is, and what it offers (RFC 8414).',
    ServerMetadata,
  ),
];
