import { z } from 'zod';

import { OAuthError } from './oauth-error.ts';

export const EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange';
export const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token';
const TYPES = [ACCESS_TOKEN, 'urn:ietf:params:oauth:token-type:jwt'] as const;

const Token = z.string().min(1).max(16_384);

/** The parameters of a token exchange (RFC 8693, section 2.1). */
const ExchangeForm = z.object({
  subject_token: Token.describe('Token of the person, or of whoever asked the MCP server'),
  subject_token_type: z.enum(TYPES),
  actor_token: Token.describe('Token of the agent, or of the MCP server, itself'),
  actor_token_type: z.enum(TYPES),
  requested_token_type: z.enum(TYPES).optional(),
  audience: z.string().optional(),
  resource: z.string().optional(),
  scope: z.string().max(1_000).optional(),
});
export type ExchangeForm = z.infer<typeof ExchangeForm>;

/** Reads the form; throws what RFC 6749 answers. */
export function exchangeForm(body: unknown): ExchangeForm {
  const fields = (typeof body === 'object' && body !== null ? body : {}) as Record<string, unknown>;
  const grant = fields['grant_type'];
  if (typeof grant !== 'string') throw new OAuthError('invalid_request', 'grant_type is missing.');
  if (grant !== EXCHANGE)
    throw new OAuthError('unsupported_grant_type', `Only ${EXCHANGE} here; the identity provider issues all others.`);
  const parsed = ExchangeForm.safeParse(fields);
  if (parsed.success) return parsed.data;
  const names = [...new Set(parsed.error.issues.map(({ path }) => path.join('.')))].join(', ');
  throw new OAuthError('invalid_request', `Missing, repeated or not valid: ${names}.`);
}
