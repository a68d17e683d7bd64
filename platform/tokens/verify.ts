import { createHash } from 'node:crypto';

import { decodeJwt, decodeProtectedHeader, errors, jwtVerify } from 'jose';
import type { JWTPayload, JWTVerifyGetKey } from 'jose';

import { TokenRefused } from './refused.ts';

/** Signatures that count; a header cannot choose another (RFC 8725). */
const ALGORITHMS = ['RS256', 'ES256'];
const SKEW_S = 60;
const MOST_CHARACTERS = 16_384;

/** What a token has to satisfy. */
export interface TokenRules {
  readonly issuer: string;
  readonly find: JWTVerifyGetKey;
  /** One of these has to be among the token's audiences. */
  readonly audiences: readonly string[];
  /** Longest life, in seconds. */
  readonly maxSeconds: number;
}

/** An access token whose signature, issuer, audience and times hold. */
export interface AccessToken {
  readonly issuer: string;
  readonly subject: string;
  /** Client that it was issued to. */
  readonly clientId: string;
  /** Its `jti`, or a digest of it where it has none. */
  readonly id: string;
  /** The provider's session that it belongs to. */
  readonly sid: string | undefined;
  readonly audiences: readonly string[];
  readonly scopes: readonly string[];
  /** Seconds since 1970. */
  readonly issuedAt: number;
  readonly expiresAt: number;
  readonly claims: Readonly<JWTPayload>;
}

/** The issuer that a token says it is of; not verified. Throws where it is no token at all. */
export function claimedIssuer(token: string): string {
  if (token.length > MOST_CHARACTERS) throw new TokenRefused('malformed', 'The token is too large.');
  try {
    const { iss } = decodeJwt(token);
    if (typeof iss === 'string') return iss;
  } catch {
    throw new TokenRefused('malformed', 'The token is no JSON Web Token.');
  }
  throw new TokenRefused('issuer', 'The token names no issuer.');
}

/** Verifies an access token; throws TokenRefused, or IssuerAwayError where its keys cannot be had. */
export async function verifyAccessToken(token: string, rules: TokenRules): Promise<AccessToken> {
  if (token.length > MOST_CHARACTERS) throw new TokenRefused('malformed', 'The token is too large.');
  const claims = await signedClaims(token, rules);
  const { sub, iat, exp } = claims;
  if (typeof sub !== 'string' || sub === '' || iat === undefined || exp === undefined)
    throw new TokenRefused('malformed', 'The token lacks sub, iat or exp.');
  refuseOtherKinds(token, claims);
  refuseTimes(iat, exp, rules.maxSeconds);
  return {
    issuer: rules.issuer,
    subject: sub,
    clientId: clientOf(claims),
    id: text(claims.jti) ?? text(claims['uti']) ?? createHash('sha256').update(token).digest('base64url'),
    sid: text(claims['sid']),
    audiences: audiencesOf(claims),
    scopes: scopesOf(claims),
    issuedAt: iat,
    expiresAt: exp,
    claims,
  };
}

async function signedClaims(token: string, { issuer, audiences, find }: TokenRules): Promise<JWTPayload> {
  try {
    const options = { issuer, audience: [...audiences], algorithms: ALGORITHMS, clockTolerance: SKEW_S };
    return (await jwtVerify(token, find, { ...options, requiredClaims: ['sub', 'iat', 'exp'] })).payload;
  } catch (error) {
    if (error instanceof errors.JOSEError) throw refusalOf(error);
    // A key that is no good for the algorithm in the header: that token was not signed with it.
    if (error instanceof TypeError) throw new TokenRefused('signature', 'The signature of the token does not hold.');
    throw error;
  }
}

const text = (value: unknown): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined);

/** The client by the names that providers use: RFC 9068, OpenID Connect, Okta, Microsoft Entra ID. */
const clientOf = (claims: JWTPayload): string =>
  ['client_id', 'azp', 'cid', 'appid'].map((name) => text(claims[name])).find((one) => one !== undefined) ?? '';

const audiencesOf = ({ aud = [] }: JWTPayload): string[] => (Array.isArray(aud) ? aud : [aud]);

/** `scope` (RFC 9068) or `scp`, as text or list. */
function scopesOf(claims: JWTPayload): string[] {
  const scope: unknown = claims['scope'] ?? claims['scp'];
  if (Array.isArray(scope)) return scope.filter((one) => typeof one === 'string');
  return (text(scope) ?? '').split(' ').filter((one) => one !== '');
}

/** Tokens that are signed with the same keys but are no access tokens: of sign-in, of sign-out, refresh tokens. */
function refuseOtherKinds(token: string, claims: JWTPayload): void {
  const type = (decodeProtectedHeader(token).typ ?? 'JWT').toLowerCase().replace(/^application\//, '');
  const kind = text(claims['typ'])?.toLowerCase() ?? 'bearer';
  const ofSignIn = ['nonce', 'at_hash', 'c_hash', 'events'].some((name) => claims[name] !== undefined);
  const forClient = audiencesOf(claims).length === 1 && audiencesOf(claims)[0] === clientOf(claims);
  if (type === 'at+jwt' && !ofSignIn) return;
  if (type !== 'jwt' || kind !== 'bearer' || ofSignIn || forClient)
    throw new TokenRefused('kind', 'This is no access token: send the access token, not an id or refresh token.');
}

function refuseTimes(issuedAt: number, expiresAt: number, maxSeconds: number): void {
  if (issuedAt > Date.now() / 1000 + SKEW_S) throw new TokenRefused('not_yet', 'The token was issued in the future.');
  if (expiresAt - issuedAt > maxSeconds + SKEW_S)
    throw new TokenRefused(
      'lifetime',
      `The token lives longer than ${String(maxSeconds)} s; have shorter ones issued.`,
    );
}

function refusalOf(error: errors.JOSEError): TokenRefused {
  if (error instanceof errors.JWTExpired) return new TokenRefused('expired', 'The token has expired.');
  if (error instanceof errors.JWTClaimValidationFailed) return claimRefusal(error);
  if (error instanceof errors.JOSEAlgNotAllowed)
    return new TokenRefused('algorithm', `The token is not signed with ${ALGORITHMS.join(' or ')}.`);
  if (error instanceof errors.JWKSNoMatchingKey || error instanceof errors.JWKSMultipleMatchingKeys)
    return new TokenRefused('key', 'The token is signed with a key that its issuer does not have.');
  if (error instanceof errors.JWSSignatureVerificationFailed)
    return new TokenRefused('signature', 'The signature of the token does not hold.');
  return new TokenRefused('malformed', 'The token is not a valid JSON Web Token.');
}

function claimRefusal({ claim }: errors.JWTClaimValidationFailed): TokenRefused {
  switch (claim) {
    case 'aud':
      return new TokenRefused('audience', 'The token was issued for another audience.');
    case 'iss':
      return new TokenRefused('issuer', 'The token is of an issuer that is not trusted here.');
    case 'nbf':
      return new TokenRefused('not_yet', 'The token is not valid yet.');
    default:
      return new TokenRefused('malformed', `The claim ${claim} of the token is missing or wrong.`);
  }
}
