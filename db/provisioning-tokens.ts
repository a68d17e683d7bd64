import type { Queryable } from './pool.ts';

/** What is known of a token before its organisation is. */
export interface ProvisioningTokenRow {
  readonly organisation_id: string;
  readonly hash: Buffer;
  readonly expires_at: Date;
}

/** A token as it is listed; never the token. */
export interface ListedToken {
  readonly id: string;
  readonly created_by: string;
  readonly created_at: Date;
  readonly expires_at: Date;
  readonly revoked_at: Date | null;
}

/** The token with an id, before the organisation is known; none where it was revoked or has expired. */
export const findProvisioningToken = async (sql: Queryable, id: string): Promise<ProvisioningTokenRow | undefined> =>
  (await sql.query<ProvisioningTokenRow>('SELECT * FROM find_provisioning_token($1)', [id]))[0];

/** Adds a token of the organisation. */
export const addProvisioningToken = (
  sql: Queryable,
  token: { readonly id: string; readonly hash: Buffer; readonly createdBy: string; readonly days: number },
): Promise<object[]> =>
  sql.query(
    `INSERT INTO provisioning_tokens (organisation_id, id, hash, created_by, expires_at)
     VALUES (current_setting('app.organisation'), $1, $2, $3, now() + make_interval(days => $4))`,
    [token.id, token.hash, token.createdBy, token.days],
  );

/** All tokens of the organisation, also those that have ended. */
export const listProvisioningTokens = (sql: Queryable): Promise<ListedToken[]> =>
  sql.query<ListedToken>(
    'SELECT id, created_by, created_at, expires_at, revoked_at FROM provisioning_tokens ORDER BY created_at, id',
  );

/** Ends a token for good; tells whether there was one that counted. */
export const revokeProvisioningToken = async (sql: Queryable, id: string): Promise<boolean> =>
  (
    await sql.query<object>(
      'UPDATE provisioning_tokens SET revoked_at = now() WHERE id = $1 AND revoked_at IS NULL RETURNING id',
      [id],
    )
  ).length > 0;
