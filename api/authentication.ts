import { createHash } from 'node:crypto';

import type { Logger } from 'pino';

import type { Principal } from '../contracts/principal.ts';
import type { Database } from '../db/pool.ts';
import type { ProfilesOf } from '../directory/organisation-profiles.ts';
import { TokenRefused } from '../platform/tokens/refused.ts';
import { SCOPES, tokenHolder } from './authentication/access-tokens.ts';
import type { Identity } from './authentication/identity.ts';
import { InvalidToken, tokenProblem } from './authentication/invalid-token.ts';
import type { Directory } from './authentication/people.ts';
import { provisioningHolder } from './authentication/services.ts';
import { SESSION_SCHEME, sessionHolder } from './authentication/sessions.ts';
import { keyHolder, keyIdOf } from './authentication/static-keys.ts';
import { ApiError } from './problem.ts';

const BEARER = /^Bearer +([\x21-\x7e]+)$/i;
const CACHED_MS = 4_000;
const CACHED_CALLERS = 10_000;

/**
 * Finds out who calls; whoever was revoked, or has left, is refused within five seconds. Where nothing comes of it but a
 * sign of life, a caller may be known for longer: `knownForMs`, in milliseconds.
 */
export type Authenticate = (authorization: string | undefined, knownForMs?: number) => Promise<Principal>;

/** What authentication works with. */
export interface AuthenticationDeps {
  readonly database: Database;
  readonly profilesOf: ProfilesOf;
  readonly identity: Identity;
  readonly log: Logger;
}

type Known = { readonly lookedAt: number; readonly expiresAt: number } & (
  { readonly principal: Principal } | { readonly refusal: InvalidToken }
);

/** Authentication by access token, by browser session, and, where it is switched on, by development key. */
export function createAuthenticate({ database, profilesOf, identity, log }: AuthenticationDeps): Authenticate {
  const directory: Directory = { database, profilesOf, settings: identity.settings };
  const known = new Map<string, Known>();
  // Nobody has to ask again for those that nothing changed for: changes are rare.
  identity.onChange(() => known.clear());

  const look = async (credential: Credential): Promise<Known> => {
    const began = Date.now();
    try {
      const { principal, expiresAt } = await holderOf(directory, identity, credential);
      return { principal, lookedAt: began, expiresAt };
    } catch (error) {
      const refusal = tokenProblem(error);
      if (!(refusal instanceof InvalidToken)) throw refusal;
      log.info({ fault: refusal.fault, because: refusal.message }, 'a caller was refused');
      return { refusal, lookedAt: began, expiresAt: began + CACHED_MS };
    }
  };

  return async (authorization, knownForMs = CACHED_MS) => {
    const credential = credentialIn(authorization);
    const cacheKey = createHash('sha256').update(`${credential.kind} ${credential.text}`).digest('base64');
    let one = known.get(cacheKey);
    if (!one || Date.now() >= Math.min(one.lookedAt + knownForMs, one.expiresAt)) {
      one = await look(credential);
      if (known.size >= CACHED_CALLERS) known.clear();
      known.set(cacheKey, one);
    }
    if ('refusal' in one) throw one.refusal;
    return one.principal;
  };
}

interface Credential {
  readonly kind: 'session' | 'key' | 'provisioning' | 'token';
  readonly text: string;
}

function credentialIn(authorization = ''): Credential {
  if (authorization.startsWith(`${SESSION_SCHEME} `))
    return { kind: 'session', text: authorization.slice(SESSION_SCHEME.length + 1) };
  const text = BEARER.exec(authorization)?.[1];
  if (text === undefined)
    throw new ApiError({ code: 'unauthenticated', detail: 'The Authorization header carries no access token.' });
  return { kind: KINDS.find(([prefix]) => text.startsWith(prefix))?.[1] ?? 'token', text };
}

/** Credentials of our own tell by their beginning what they are. */
const KINDS = [
  ['sbk_', 'key'],
  ['sbp_', 'provisioning'],
] as const;

/** When what it says ends by itself, in milliseconds. */
type Holder = { readonly principal: Principal; readonly expiresAt: number };

async function holderOf(directory: Directory, identity: Identity, { kind, text }: Credential): Promise<Holder> {
  if (kind === 'session') return { principal: await sessionHolder(directory, text), expiresAt: Infinity };
  if (kind === 'key') {
    const keyId = keyIdOf(text);
    if (keyId === undefined) throw new TokenRefused('malformed', 'The API key is not known, or was revoked.');
    return { principal: await keyHolder(directory, text, keyId), expiresAt: Infinity };
  }
  if (kind === 'provisioning') return provisioningHolder(directory.database, text);
  const token = await identity.verify(text, [directory.settings.audience]);
  const principal = await tokenHolder(directory, token);
  // A service reads nothing but what it keeps up to date, which policy sees to.
  if (principal.kind !== 'service') requireScope(principal, 'read');
  // With the tolerance that the verification has for clocks.
  return { principal, expiresAt: (token.expiresAt + 60) * 1000 };
}

/** Refuses a caller whose token does not cover reading, or writing. */
export function requireScope({ scopes }: Principal, need: 'read' | 'write'): void {
  if (!scopes || scopes.includes(SCOPES.write) || (need === 'read' && scopes.includes(SCOPES.read))) return;
  throw new ApiError({
    code: 'insufficient_scope',
    detail: `The access token lacks the scope ${SCOPES[need]}.`,
    facts: { scope: SCOPES[need] },
  });
}
