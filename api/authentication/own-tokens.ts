import { SignJWT } from 'jose';
import { z } from 'zod';

import { EntityType } from '../../contracts/principal.ts';
import type { Principal } from '../../contracts/principal.ts';
import { findAgent } from '../../db/directory.ts';
import type { SigningKeys } from '../../platform/tokens/signing-keys.ts';
import { newId } from '../../platform/ids.ts';
import type { AccessToken } from '../../platform/tokens/verify.ts';
import { InvalidToken } from './invalid-token.ts';
import { activeUser, agentOf, onBehalfOf, personOf } from './people.ts';
import type { Directory } from './people.ts';

/** Claims that only tokens of our own token service carry, beside those of RFC 8693. */
const OwnClaims = z.object({
  organisation: z.string(),
  principal: z.object({ kind: z.enum(['user', 'agent']), id: z.string(), acts_for: z.string().nullable() }),
  /** The most it may see in clear: what all who stand behind it were cleared for when it was issued. */
  clearance: z.array(EntityType),
  via: z.array(z.string()).default([]),
  /** What it ends with: tokens and sessions that it was made of. */
  ends_with: z.array(z.string()),
  /** When the oldest token that it was made of was issued. */
  since: z.number(),
});

/** What a token is issued for. */
export interface Grant {
  readonly principal: Principal;
  readonly subject: string;
  readonly clientId: string;
  readonly act: Readonly<Record<string, unknown>>;
  readonly via: readonly string[];
  readonly endsWith: readonly string[];
  readonly since: number;
  readonly scopes: readonly string[];
  readonly seconds: number;
}

/** Under what names a token can be revoked: its own, its session's, and those of the tokens that it was made of. */
export function revocationIdsOf({ id, sid, claims }: AccessToken): string[] {
  const inherited = z.array(z.string()).safeParse(claims['ends_with']);
  return [`token:${id}`, ...(sid === undefined ? [] : [`session:${sid}`]), ...(inherited.data ?? [])];
}

/** Signs a token of the token service (RFC 9068, with the `act` of RFC 8693). */
export async function signOwnToken(
  keys: SigningKeys,
  { issuer, audience }: { readonly issuer: string; readonly audience: string },
  grant: Grant,
): Promise<{ readonly token: string; readonly id: string }> {
  const { kid, d, ...jwk } = keys.current();
  const id = newId('content').replace('cont_', 'tok_');
  const { organisation_id, kind, id: principalId, acts_for } = grant.principal;
  const token = await new SignJWT({
    client_id: grant.clientId,
    scope: grant.scopes.join(' '),
    organisation: organisation_id,
    principal: { kind, id: principalId, acts_for },
    clearance: grant.principal.clearance,
    act: grant.act,
    via: [...grant.via],
    ends_with: [...grant.endsWith],
    since: grant.since,
  })
    .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', kid })
    .setIssuer(issuer)
    .setAudience(audience)
    .setSubject(grant.subject)
    .setJti(id)
    .setIssuedAt()
    .setExpirationTime(`${String(grant.seconds)}s`)
    .sign({ ...jwk, d });
  return { token, id };
}

/** Who a token of our own stands for: looked up anew, so that what changed since it was issued counts. */
export async function ownTokenHolder(directory: Directory, token: AccessToken): Promise<Principal> {
  const claims = OwnClaims.safeParse(token.claims);
  if (!claims.success) throw new InvalidToken('malformed', 'The token lacks claims of the token service.');
  const { organisation, principal, via, clearance: most } = claims.data;
  const found = await holderOf(directory, organisation, principal);
  const holder = { ...found, clearance: found.clearance.filter((kind) => most.includes(kind)) };
  return via.length === 0 ? holder : { ...holder, via };
}

/** The oldest moment that counts for the revocation of everything of somebody. */
export const sinceOf = (token: AccessToken): number => {
  const since = z.number().safeParse(token.claims['since']);
  return Math.min(token.issuedAt, since.data ?? token.issuedAt);
};

async function holderOf(
  directory: Directory,
  organisationId: string,
  { kind, id, acts_for }: z.infer<typeof OwnClaims>['principal'],
): Promise<Principal> {
  if (kind === 'user') return personOf(directory, organisationId, await activeUser(directory, organisationId, id));
  if (acts_for === null) return agentOf(directory, organisationId, id);
  const agent = await directory.database.inOrganisation(organisationId, (sql) => findAgent(sql, id));
  if (!agent) throw new InvalidToken('subject', 'The agent that the token is of is not there any more.');
  const user = await activeUser(directory, organisationId, acts_for);
  return onBehalfOf(directory, { organisation_id: organisationId, user, agent });
}
