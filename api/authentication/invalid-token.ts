import type { TokenFault } from '../../platform/tokens/refused.ts';
import { TokenRefused } from '../../platform/tokens/refused.ts';
import { IssuerAwayError } from '../../platform/tokens/issuer-keys.ts';
import { ApiError } from '../problem.ts';

/** A token, key or session that is not accepted; told apart from having sent none (RFC 6750, section 3.1). */
export class InvalidToken extends ApiError {
  readonly fault: TokenFault;

  constructor(fault: TokenFault, detail: string) {
    super({ code: 'unauthenticated', detail });
    this.fault = fault;
  }
}

/** What the caller is told of a token that could not be verified. */
export function tokenProblem(error: unknown): unknown {
  if (error instanceof TokenRefused) return new InvalidToken(error.fault, error.message);
  if (error instanceof IssuerAwayError) return new ApiError({ code: 'unavailable', detail: error.message });
  return error;
}

const headerText = (text: string): string => text.replaceAll(/[^\x20-\x7e]|["\\]/g, '');

/** The `WWW-Authenticate` header of a refusal (RFC 6750, RFC 9728); undefined where the refusal is about something else. */
export function challengeOf(error: ApiError, resourceMetadata: string): string | undefined {
  const metadata = `resource_metadata="${headerText(resourceMetadata)}"`;
  if (error instanceof InvalidToken)
    return `Bearer error="invalid_token", error_description="${headerText(error.message)}", ${metadata}`;
  if (error.code === 'unauthenticated') return `Bearer ${metadata}`;
  if (error.code !== 'insufficient_scope') return undefined;
  return `Bearer error="insufficient_scope", scope="${headerText(String(error.facts['scope']))}", ${metadata}`;
}
