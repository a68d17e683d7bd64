import type { Queryable } from './pool.ts';

/** A browser session that is in force. */
export interface LoginSession {
  readonly organisation_id: string;
  readonly user_id: string;
  readonly issuer: string;
  readonly subject: string;
  readonly provider_session: string | null;
  readonly created_at: Date;
  readonly used_at: Date;
  readonly expires_at: Date;
}

/** The session with a hash, before the organisation is known; none where it ended or nobody used it for too long. */
export const findLoginSession = async (
  sql: Queryable,
  hash: Buffer,
  idleMinutes: number,
): Promise<LoginSession | undefined> =>
  (
    await sql.query<LoginSession>('SELECT * FROM find_login_session($1, make_interval(mins => $2))', [
      hash,
      idleMinutes,
    ])
  )[0];

export const addLoginSession = (
  sql: Queryable,
  hash: Buffer,
  session: Pick<LoginSession, 'user_id' | 'issuer' | 'subject' | 'provider_session'>,
  hours: number,
): Promise<object[]> =>
  sql.query(
    `INSERT INTO login_sessions (organisation_id, hash, user_id, issuer, subject, provider_session, expires_at)
     VALUES (current_setting('app.organisation'), $1, $2, $3, $4, $5, now() + make_interval(hours => $6))`,
    [hash, session.user_id, session.issuer, session.subject, session.provider_session, hours],
  );

/** Notes that a session is used; written at most once a minute. */
export const touchLoginSession = (sql: Queryable, hash: Buffer): Promise<object[]> =>
  sql.query("UPDATE login_sessions SET used_at = now() WHERE hash = $1 AND used_at < now() - interval '1 minute'", [
    hash,
  ]);

/** Ends a session; tells whether there was one. */
export const endLoginSession = async (sql: Queryable, hash: Buffer): Promise<boolean> =>
  (await sql.query<object>('DELETE FROM login_sessions WHERE hash = $1 RETURNING user_id', [hash])).length > 0;

/** Ends all sessions of a user; answers how many. */
export const endLoginSessionsOf = async (sql: Queryable, userId: string): Promise<number> =>
  (await sql.query<object>('DELETE FROM login_sessions WHERE user_id = $1 RETURNING user_id', [userId])).length;
