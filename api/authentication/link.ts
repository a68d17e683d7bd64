import { findLinkedUser, findUsersByEmail, linkIdentity } from '../../db/identities.ts';
import type { UserRow } from '../../db/directory.ts';
import type { Database } from '../../db/pool.ts';
import type { AccessToken } from '../../platform/tokens/verify.ts';
import { InvalidToken } from './invalid-token.ts';
import { recordIdentity } from './record.ts';

const notKnown = (detail: string): InvalidToken => new InvalidToken('subject', detail);

/**
 * The first sign-in of somebody: found by an e-mail address that the provider has verified, among the active people of
 * the directory. Nobody is added by signing in, and nothing else of the token is believed: no role, no administrator.
 */
export async function linkByEmail(
  database: Database,
  organisationId: string,
  { issuer, subject, claims }: Pick<AccessToken, 'issuer' | 'subject' | 'claims'>,
): Promise<UserRow> {
  const email = claims['email'];
  if (typeof email !== 'string' || email === '')
    throw notKnown('Nobody is linked to this account yet: sign in once in the browser.');
  if (claims['email_verified'] !== true) throw notKnown('The e-mail address of this account is not verified.');
  return database.transaction(organisationId, async (sql) => {
    const [user, other] = await findUsersByEmail(sql, email);
    if (!user || other) throw notKnown('Nobody in the directory has the e-mail address of this account.');
    if (!(await linkIdentity(sql, { issuer, subject }, user.id))) {
      // Two first requests at the same moment: the other one has just linked the same account.
      const linked = await findLinkedUser(sql, { issuer, subject });
      if (linked?.id === user.id) return linked;
      throw notKnown('Somebody else is linked to this person already: an administrator has to unlink them first.');
    }
    await recordIdentity(sql, { action: 'identity.linked', user, details: { issuer } });
    return user;
  });
}
