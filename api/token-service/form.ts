import type { z } from 'zod';

import { ACCESS_TOKEN_TYPE, EXCHANGE_GRANT, ExchangeForm } from '../../contracts/sign-in-routes.ts';
import { OAuthError } from './oauth-error.ts';

export const EXCHANGE = EXCHANGE_GRANT;
export const ACCESS_TOKEN = ACCESS_TOKEN_TYPE;
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
