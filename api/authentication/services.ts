import { createHash, timingSafeEqual } from 'node:crypto';

import type { Principal } from '../../contracts/principal.ts';
import { findProvisioningToken } from '../../db/provisioning-tokens.ts';
import type { Database } from '../../db/pool.ts';
import { InvalidToken } from './invalid-token.ts';

/** All that a service may do: keep people up to date over SCIM; policy holds it to that. */
const SERVICE_SCOPES = ['directory:sync'] as const;
const TOKEN = /^sbp_([A-Za-z0-9]{12})_[A-Za-z0-9_-]{43}$/;

/** The id of a service that is known by a token, or by a client, of this id. */
export const serviceIdOf = (id: string): string => `service_${id}`;

/** A service of an organisation: nobody's role, cleared for nothing, with the scope of SCIM alone. */
export const serviceOf = (organisation_id: string, id: string): Principal => ({
  organisation_id,
  kind: 'service',
  id,
  name: 'provisioning',
  // Every principal has a role; that of a service is never on record, and policy gives it nothing.
  role: 'support',
  acts_for: null,
  administrator: false,
  clearance: [],
  scopes: [...SERVICE_SCOPES],
});

/** The service that a provisioning token is of, and when the token ends, in milliseconds. */
export async function provisioningHolder(
  database: Database,
  token: string,
): Promise<{ readonly principal: Principal; readonly expiresAt: number }> {
  const id = TOKEN.exec(token)?.[1] ?? '';
  const row = await database.unscoped((sql) => findProvisioningToken(sql, id));
  const hash = createHash('sha256').update(token).digest();
  // Compared even where there is no such token, so that the time taken tells nothing.
  const matches = timingSafeEqual(hash, row?.hash ?? Buffer.alloc(hash.length));
  if (!row || !matches)
    throw new InvalidToken('revoked', 'The provisioning token is not known, has expired, or was revoked.');
  return { principal: serviceOf(row.organisation_id, serviceIdOf(id)), expiresAt: row.expires_at.getTime() };
}
