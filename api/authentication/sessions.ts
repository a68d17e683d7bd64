import { createHash, randomBytes } from 'node:crypto';

import type { Principal } from '../../contracts/principal.ts';
import { findLoginSession, touchLoginSession } from '../../db/login-sessions.ts';
import { revokedAmong } from '../../db/revocations.ts';
import { InvalidToken } from './invalid-token.ts';
import { activeUser, personOf } from './people.ts';
import type { Directory } from './people.ts';

/** The name of the scheme under which the cookie is handed on inside this process; guessed by nobody outside of it. */
export const SESSION_SCHEME = `Session-${randomBytes(16).toString('hex')}`;

/** A new id of a browser session: 256 random bits. */
export const newSessionId = (): string => randomBytes(32).toString('base64url');

/** What is kept of the id of a session. */
export const sessionHash = (id: string): Buffer => createHash('sha256').update(id).digest();

/** The person whose browser session it is; the session counts, whatever became of the tokens it began with. */
export async function sessionHolder(directory: Directory, id: string): Promise<Principal> {
  const { database, settings } = directory;
  const hash = sessionHash(id);
  const session = await database.unscoped((sql) => findLoginSession(sql, hash, settings.sessionIdleMinutes));
  if (!session) throw new InvalidToken('expired', 'The session has ended: sign in again.');
  const { organisation_id, user_id, provider_session } = session;
  const user = await activeUser(directory, organisation_id, user_id);
  const names = [`principal:${user_id}`, ...(provider_session === null ? [] : [`session:${provider_session}`])];
  await database.inOrganisation(organisation_id, async (sql) => {
    const revoked = await revokedAmong(sql, names);
    const began = session.created_at.getTime() / 1000;
    if ([...revoked.values()].some((at) => at >= began))
      throw new InvalidToken('revoked', 'The session was ended: sign in again.');
    await touchLoginSession(sql, hash);
  });
  return personOf(directory, organisation_id, user);
}
