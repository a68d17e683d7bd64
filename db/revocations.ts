import type { Queryable } from './pool.ts';

/** Revokes what has these ids (`token:…`, `session:…`, `principal:…`) until a time after which it would be void anyway. */
export const revoke = (sql: Queryable, ids: readonly string[], expiresAt: Date): Promise<object[]> =>
  sql.query(
    `INSERT INTO revocations (organisation_id, id, expires_at)
     SELECT current_setting('app.organisation'), id, $2 FROM unnest($1::text[]) AS id
     ON CONFLICT (organisation_id, id) DO UPDATE SET revoked_at = now(), expires_at = greatest(revocations.expires_at, excluded.expires_at)`,
    [ids, expiresAt],
  );

/** Which of these ids are revoked, and when each was, in seconds since 1970. */
export async function revokedAmong(sql: Queryable, ids: readonly string[]): Promise<ReadonlyMap<string, number>> {
  const rows = await sql.query<{ id: string; at: number }>(
    'SELECT id, extract(epoch FROM revoked_at)::float8 AS at FROM revocations WHERE id = ANY ($1)',
    [ids],
  );
  return new Map(rows.map(({ id, at }) => [id, at]));
}

/** Removes what is over: revocations of what has expired since, and sessions that have ended. */
export async function sweepIdentity(sql: Queryable): Promise<void> {
  await sql.query("DELETE FROM revocations WHERE expires_at < now() - interval '1 hour'");
  await sql.query('DELETE FROM login_sessions WHERE expires_at < now()');
}
