import type { Principal } from '../../contracts/principal.ts';
import type { Database } from '../../db/pool.ts';
import { revokedAmong } from '../../db/revocations.ts';
import type { AccessToken } from '../../platform/tokens/verify.ts';
import { InvalidToken } from './invalid-token.ts';
import { ownTokenHolder, revocationIdsOf, sinceOf } from './own-tokens.ts';
import { clientAgent, personBehind } from './people.ts';
import type { Directory } from './people.ts';
import { recordIdentity } from './record.ts';

/** Scopes of the API; writing covers reading. */
export const SCOPES = { read: 'switchboard:read', write: 'switchboard:write' } as const;

/** Who a verified access token stands for; throws InvalidToken where it is revoked, or nobody is known by it. */
export async function tokenHolder(directory: Directory, token: AccessToken): Promise<Principal> {
  const { settings } = directory;
  if (settings.exchangeClients.includes(token.clientId) && token.issuer !== settings.publicUrl)
    throw new InvalidToken('subject', 'This client may exchange tokens only; it has no rights of its own.');
  const principal = await whose(directory, token);
  await refuseRevoked(directory.database, principal, token);
  // A service may do what it is registered for, whatever its token says.
  return settings.requireScopes && principal.kind !== 'service'
    ? { ...principal, scopes: [...token.scopes] }
    : principal;
}

async function whose(directory: Directory, token: AccessToken): Promise<Principal> {
  if (token.issuer === directory.settings.publicUrl) return ownTokenHolder(directory, token);
  return (await clientAgent(directory, token)) ?? (await personBehind(directory, token));
}

async function refuseRevoked(database: Database, principal: Principal, token: AccessToken): Promise<void> {
  const { organisation_id, id, acts_for } = principal;
  const principals = [id, acts_for].flatMap((one) => (one === null ? [] : `principal:${one}`));
  const ids = revocationIdsOf(token);
  const revoked = await database.inOrganisation(organisation_id, (sql) => revokedAmong(sql, [...ids, ...principals]));
  if (revoked.size === 0) return;
  const ended = principals.some((one) => sinceOf(token) <= (revoked.get(one) ?? 0));
  if (!ended && !ids.some((one) => revoked.has(one))) return;
  await database.inOrganisation(organisation_id, (sql) =>
    recordIdentity(sql, {
      action: 'identity.refused',
      user: null,
      outcome: 'denied',
      details: { because: 'revoked', principal: id },
      dedupeKey: `identity.refused/${token.id}`,
    }),
  );
  throw new InvalidToken('revoked', 'The token was revoked.');
}
