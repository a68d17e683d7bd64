import type { Queryable } from '../pool.ts';
import { PERSON_COLUMNS } from './users.ts';
import type { PersonRow } from './users.ts';

/** A condition on people: SQL with its values, numbered from the one given. */
export interface Condition {
  readonly sql: string;
  readonly values: readonly unknown[];
}

/** Everybody that provisioning sees. */
export const ANYBODY: Condition = { sql: 'true', values: [] };

/** A page of people by place, as SCIM wants it, and how many there are. */
export async function pageOfPeople(
  sql: Queryable,
  { sql: where, values }: Condition,
  offset: number,
  limit: number,
): Promise<{ readonly total: number; readonly rows: readonly PersonRow[] }> {
  const [count] = await sql.query<{ total: number }>(
    `SELECT count(*)::int AS total FROM users WHERE NOT deprovisioned AND (${where})`,
    values,
  );
  const next = values.length;
  const rows = await sql.query<PersonRow>(
    `SELECT ${PERSON_COLUMNS} FROM users WHERE NOT deprovisioned AND (${where})
     ORDER BY id OFFSET $${String(next + 1)} LIMIT $${String(next + 2)}`,
    [...values, offset, limit],
  );
  return { total: count?.total ?? 0, rows };
}

/** People after one, for filters that SQL does not know. */
export const peopleAfter = (sql: Queryable, after: string, limit: number): Promise<PersonRow[]> =>
  sql.query<PersonRow>(`SELECT ${PERSON_COLUMNS} FROM users WHERE NOT deprovisioned AND id > $1 ORDER BY id LIMIT $2`, [
    after,
    limit,
  ]);

/** Those who have a user name: more than one only where people left. */
export const peopleByUserName = (sql: Queryable, userName: string): Promise<PersonRow[]> =>
  sql.query<PersonRow>(
    `SELECT ${PERSON_COLUMNS} FROM users WHERE lower(coalesce(user_name, email)) = lower($1) ORDER BY deprovisioned, id`,
    [userName],
  );

/** Members of a role. */
export const membersOf = (sql: Queryable, role: string): Promise<Pick<PersonRow, 'id' | 'name'>[]> =>
  sql.query(
    'SELECT id, name FROM users WHERE role = $1 AND NOT awaits_role AND NOT deprovisioned AND enabled ORDER BY id',
    [role],
  );

/** People by their ids. */
export const peopleByIds = (sql: Queryable, ids: readonly string[]): Promise<PersonRow[]> =>
  sql.query<PersonRow>(`SELECT ${PERSON_COLUMNS} FROM users WHERE id = ANY ($1) AND NOT deprovisioned ORDER BY id`, [
    ids,
  ]);
