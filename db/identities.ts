import type { UserRow } from './directory.ts';
import type { Queryable } from './pool.ts';

/** Who somebody is at an issuer. */
export interface Identity {
  readonly issuer: string;
  readonly subject: string;
}

const USER = 'u.id, u.name, u.role, u.department, u.manager_id, u.administrator, u.active, u.assigned_profile';

/** The user that an identity is linked to, active or not. */
export const findLinkedUser = async (sql: Queryable, { issuer, subject }: Identity): Promise<UserRow | undefined> =>
  (
    await sql.query<UserRow>(
      `SELECT ${USER} FROM user_identities i JOIN users u ON u.id = i.user_id WHERE i.issuer = $1 AND i.subject = $2`,
      [issuer, subject],
    )
  )[0];

/** Active users with an e-mail address, whatever its case: one at most, unless the directory holds it in two cases. */
export const findUsersByEmail = (sql: Queryable, email: string): Promise<UserRow[]> =>
  sql.query<UserRow>(`SELECT ${USER} FROM users u WHERE lower(u.email) = lower($1) AND u.active`, [email]);

/** Links an identity to a user; false where the user, or the identity, is linked otherwise already. */
export const linkIdentity = async (sql: Queryable, { issuer, subject }: Identity, userId: string): Promise<boolean> =>
  (
    await sql.query<object>(
      `INSERT INTO user_identities (organisation_id, issuer, subject, user_id)
       VALUES (current_setting('app.organisation'), $1, $2, $3) ON CONFLICT DO NOTHING RETURNING user_id`,
      [issuer, subject, userId],
    )
  ).length > 0;

/** Forgets who somebody is at all issuers, so that the next sign-in links anew. */
export const unlinkUser = (sql: Queryable, userId: string): Promise<object[]> =>
  sql.query('DELETE FROM user_identities WHERE user_id = $1 RETURNING issuer', [userId]);
