import { createHash, timingSafeEqual } from 'node:crypto';

import type { Principal, Role } from '../contracts/principal.ts';
import { findAgent, findKey, findUser } from '../db/directory.ts';
import type { Database } from '../db/pool.ts';
import type { Profile } from '../directory/profile-schema.ts';
import { ApiError } from './problem.ts';

const KEY = /^Bearer (sbk_([A-Za-z0-9]{12})_[A-Za-z0-9_-]{43})$/;
const CACHED_MS = 5_000;
const CACHED_KEYS = 10_000;

const unauthenticated = (detail: string): ApiError => new ApiError({ code: 'unauthenticated', detail });

/** Finds out who calls; a key that was revoked is refused within five seconds. */
export type Authenticate = (authorization: string | undefined) => Promise<Principal>;

/** Authentication by development API keys: `Authorization: Bearer sbk_…`. */
export function createAuthenticate(database: Database, profiles: ReadonlyMap<Role, Profile>): Authenticate {
  const known = new Map<string, { readonly principal: Principal; readonly until: number }>();

  return async (authorization) => {
    const [, key, keyId] = KEY.exec(authorization ?? '') ?? [];
    if (key === undefined || keyId === undefined) throw unauthenticated('The Authorization header carries no API key.');
    const hash = createHash('sha256').update(key).digest();
    const cacheKey = hash.toString('base64');
    const cached = known.get(cacheKey);
    if (cached && cached.until > Date.now()) return cached.principal;
    const principal = await lookUp(database, profiles, keyId, hash);
    if (known.size >= CACHED_KEYS) known.clear();
    known.set(cacheKey, { principal, until: Date.now() + CACHED_MS });
    return principal;
  };
}

async function lookUp(
  database: Database,
  profiles: ReadonlyMap<Role, Profile>,
  keyId: string,
  hash: Buffer,
): Promise<Principal> {
  const row = await database.unscoped((sql) => findKey(sql, keyId));
  // Compared even where there is no such key, so that the time taken tells nothing.
  const matches = timingSafeEqual(hash, row?.hash ?? Buffer.alloc(hash.length));
  if (!row || !matches) throw unauthenticated('The API key is not known, or was revoked.');
  const { organisation_id, principal_kind: kind, principal_id: id } = row;
  const who = await database.inOrganisation(organisation_id, async (sql) => {
    if (kind === 'agent') return { administrator: false, ...(await findAgent(sql, id)) };
    return { acts_for: null, ...(await findUser(sql, id)) };
  });
  if (who.role === undefined || who.name === undefined)
    throw unauthenticated('Whoever the key belonged to is not there any more.');
  const clearance = profiles.get(who.role)?.privacy.clearance ?? [];
  return {
    organisation_id,
    kind,
    id,
    name: who.name,
    role: who.role,
    acts_for: who.acts_for ?? null,
    administrator: who.administrator ?? false,
    clearance,
  };
}
