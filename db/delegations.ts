import type { Queryable } from './pool.ts';

export interface DelegationRow {
  readonly id: string;
  readonly user_id: string;
  readonly delegate_id: string;
  readonly valid_from: Date;
  readonly valid_until: Date;
  readonly absent: boolean;
}
const COLUMNS = 'id, user_id, delegate_id, valid_from, valid_until, absent';

export async function addDelegation(
  sql: Queryable,
  row: Omit<DelegationRow, 'valid_from' | 'valid_until'> & { valid_from: string; valid_until: string },
): Promise<DelegationRow | undefined> {
  const [added] = await sql.query<DelegationRow>(
    `INSERT INTO delegations (organisation_id, id, user_id, delegate_id, valid_from, valid_until, absent)
     VALUES (current_setting('app.organisation'), $1, $2, $3, $4, $5, $6)
     ON CONFLICT (organisation_id, id) DO UPDATE SET id = EXCLUDED.id RETURNING ${COLUMNS}`,
    [row.id, row.user_id, row.delegate_id, row.valid_from, row.valid_until, row.absent],
  );
  return added;
}

/** Whether a delegation would close a circle with those that are valid at some time in the same span. */
export async function closesCircle(
  sql: Queryable,
  userId: string,
  delegateId: string,
  from: string,
  until: string,
): Promise<boolean> {
  const rows = await sql.query(
    `WITH RECURSIVE reach AS (
       SELECT $2::text AS id, 1 AS depth
       UNION
       SELECT d.delegate_id, r.depth + 1 FROM reach r JOIN delegations d ON d.user_id = r.id
       WHERE d.valid_from < $4 AND d.valid_until > $3 AND r.depth < 20
     )
     SELECT 1 FROM reach WHERE id = $1 LIMIT 1`,
    [userId, delegateId, from, until],
  );
  return rows.length > 0;
}

export const listDelegations = (sql: Queryable, userId: string): Promise<DelegationRow[]> =>
  sql.query<DelegationRow>(`SELECT ${COLUMNS} FROM delegations WHERE user_id = $1 OR delegate_id = $1 ORDER BY id`, [
    userId,
  ]);

/** Delegations valid now from any of the users. */
export const validDelegations = (sql: Queryable, users: readonly string[]): Promise<DelegationRow[]> =>
  sql.query<DelegationRow>(
    `SELECT ${COLUMNS} FROM delegations WHERE user_id = ANY ($1) AND valid_from <= now() AND valid_until > now() ORDER BY id`,
    [users],
  );

/** Users who let this one decide for them now. */
export async function delegatorsOf(sql: Queryable, delegateId: string): Promise<string[]> {
  const rows = await sql.query<{ user_id: string }>(
    'SELECT DISTINCT user_id FROM delegations WHERE delegate_id = $1 AND valid_from <= now() AND valid_until > now()',
    [delegateId],
  );
  return rows.map((row) => row.user_id);
}

/** Ends a delegation that the user gave. */
export async function endDelegation(sql: Queryable, id: string, userId: string): Promise<DelegationRow | undefined> {
  const [row] = await sql.query<DelegationRow>(
    `DELETE FROM delegations WHERE id = $1 AND user_id = $2 RETURNING ${COLUMNS}`,
    [id, userId],
  );
  return row;
}
