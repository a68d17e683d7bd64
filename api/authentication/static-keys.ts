import { createHash, timingSafeEqual } from 'node:crypto';

import type { Principal } from '../../contracts/principal.ts';
import { findAgent, findKey, findUser } from '../../db/directory.ts';
import { InvalidToken } from './invalid-token.ts';
import { clearanceOf } from './people.ts';
import type { Directory } from './people.ts';

const KEY = /^sbk_([A-Za-z0-9]{12})_[A-Za-z0-9_-]{43}$/;

/** The id of a development key; undefined where the text is no such key. */
export const keyIdOf = (text: string): string | undefined => KEY.exec(text)?.[1];

/** Who a development key belongs to. */
export async function keyHolder(directory: Directory, key: string, keyId: string): Promise<Principal> {
  if (!directory.settings.staticKeys)
    throw new InvalidToken('kind', 'API keys are switched off here: sign in and send an access token.');
  const hash = createHash('sha256').update(key).digest();
  const row = await directory.database.unscoped((sql) => findKey(sql, keyId));
  // Compared even where there is no such key, so that the time taken tells nothing.
  const matches = timingSafeEqual(hash, row?.hash ?? Buffer.alloc(hash.length));
  if (!row || !matches) throw new InvalidToken('revoked', 'The API key is not known, or was revoked.');
  const { organisation_id, principal_kind: kind, principal_id: id } = row;
  const who = await directory.database.inOrganisation(organisation_id, async (sql) => {
    if (kind === 'agent') return { administrator: false, ...(await findAgent(sql, id)) };
    return { acts_for: null, ...(await findUser(sql, id)) };
  });
  if (who.role === undefined || who.name === undefined)
    throw new InvalidToken('subject', 'Whoever the key belonged to is not there any more.');
  const profile = ('assigned_profile' in who ? who.assigned_profile : null) ?? null;
  return {
    organisation_id,
    kind,
    id,
    name: who.name,
    role: who.role,
    acts_for: who.acts_for ?? null,
    administrator: who.administrator ?? false,
    ...(profile !== null && profile !== who.role && { profile }),
    clearance: await clearanceOf(directory, organisation_id, profile ?? who.role),
  };
}
