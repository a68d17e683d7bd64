import type { Queryable } from '../pool.ts';
import type { Role } from '../../contracts/principal.ts';

/** Somebody with all that the directory knows. */
export interface PersonRow {
  readonly id: string;
  readonly external_id: string;
  readonly name: string;
  readonly email: string;
  readonly role: Role;
  readonly department: string;
  readonly title: string | null;
  readonly locale: string | null;
  readonly manager_id: string | null;
  readonly administrator: boolean;
  readonly active: boolean;
  readonly enabled: boolean;
  readonly awaits_role: boolean;
  readonly deprovisioned: boolean;
  readonly scim_external_id: string | null;
  readonly assigned_profile: Role | null;
  readonly source: string;
  readonly user_name: string | null;
  readonly given_name: string | null;
  readonly family_name: string | null;
  readonly deactivated_at: Date | null;
  readonly created_at: Date;
  readonly updated_at: Date;
  /** A bigint of Postgres. */
  readonly version: string;
}

/** The columns of a PersonRow. */
export const PERSON_COLUMNS = `id, external_id, name, email, role, department, title, locale, manager_id, administrator, active,
  enabled, awaits_role, deprovisioned, scim_external_id, assigned_profile, source, user_name, given_name, family_name, deactivated_at, created_at, updated_at, version`;

/** Somebody, active or not. */
export const findPerson = async (sql: Queryable, id: string): Promise<PersonRow | undefined> =>
  (await sql.query<PersonRow>(`SELECT ${PERSON_COLUMNS} FROM users WHERE id = $1`, [id]))[0];

/** Somebody by the organisation's own id. */
export const findByExternalId = async (sql: Queryable, externalId: string): Promise<PersonRow | undefined> =>
  (await sql.query<PersonRow>(`SELECT ${PERSON_COLUMNS} FROM users WHERE external_id = $1`, [externalId]))[0];

export interface PeopleQuery {
  readonly role?: string | undefined;
  readonly department?: string | undefined;
  readonly status?: 'active' | 'inactive' | 'awaiting_role' | undefined;
  readonly q?: string | undefined;
  readonly after?: string | undefined;
  readonly ascending: boolean;
  readonly limit: number;
}

const STATUS = {
  active: 'active',
  inactive: 'NOT enabled',
  awaiting_role: 'enabled AND awaits_role',
} as const;

/** Text that a LIKE pattern takes as it is. */
const literal = (text: string): string => text.replaceAll(/[\\%_]/g, String.raw`\$&`);

/** A page of people. */
export function listPeople(sql: Queryable, query: PeopleQuery): Promise<PersonRow[]> {
  const values: unknown[] = [];
  const bind = (value: unknown): string => `$${String(values.push(value))}`;
  const conditions = ['true'];
  if (query.role !== undefined) conditions.push(`role = ${bind(query.role)} AND NOT awaits_role`);
  if (query.department !== undefined) conditions.push(`department = ${bind(query.department)}`);
  if (query.status !== undefined) conditions.push(STATUS[query.status]);
  if (query.q !== undefined) {
    const pattern = bind(`%${literal(query.q)}%`);
    conditions.push(`(name ILIKE ${pattern} OR email ILIKE ${pattern} OR external_id ILIKE ${pattern})`);
  }
  if (query.after !== undefined) conditions.push(`id ${query.ascending ? '>' : '<'} ${bind(query.after)}`);
  return sql.query<PersonRow>(
    `SELECT ${PERSON_COLUMNS} FROM users WHERE ${conditions.join(' AND ')}
     ORDER BY id ${query.ascending ? 'ASC' : 'DESC'} LIMIT ${bind(query.limit)}`,
    values,
  );
}

/** Everybody active, as the tree needs them, in the order of their names. */
export const activePeople = (
  sql: Queryable,
): Promise<Pick<PersonRow, 'id' | 'external_id' | 'name' | 'email' | 'role' | 'department' | 'manager_id'>[]> =>
  sql.query(
    'SELECT id, external_id, name, email, role, department, manager_id FROM users WHERE active ORDER BY name, id',
  );

/** A page of the org chart as a file: everybody, by the organisation's own id. */
export const exportPage = (
  sql: Queryable,
  after: string,
  limit: number,
): Promise<(PersonRow & { readonly reports_to: string | null })[]> =>
  sql.query(
    `SELECT ${PERSON_COLUMNS}, (SELECT m.external_id FROM users m WHERE m.id = u.manager_id) AS reports_to FROM users u
     WHERE external_id > $1 ORDER BY external_id LIMIT $2`,
    [after, limit],
  );
