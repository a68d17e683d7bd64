import type { Queryable } from '../pool.ts';

/** Somebody as they shall be. What is undefined stays as it is. */
export interface StagedPerson {
  /** Known already, or null for who is found by `external_id`. */
  readonly user_id: string | null;
  readonly external_id: string;
  readonly name: string;
  readonly email: string;
  readonly role: string;
  readonly department: string;
  readonly active: boolean;
  /** The manager by external id, among those staged, or by id. */
  readonly manager_key?: string | null;
  readonly manager_id?: string | null;
  readonly title?: string | null;
  readonly locale?: string | null;
  readonly enabled?: boolean;
  readonly awaits_role?: boolean;
  readonly deprovisioned?: boolean;
  readonly scim_external_id?: string | null;
  readonly administrator?: boolean;
  readonly assigned_profile?: string | null;
  readonly user_name?: string | null;
  readonly given_name?: string | null;
  readonly family_name?: string | null;
}

/** Fields of a person in the order of their columns; those that may be left out stay as they are. */
export const PERSON_FIELDS = [
  'external_id',
  'name',
  'email',
  'role',
  'department',
  'active',
  'manager_id',
  'title',
  'locale',
  'enabled',
  'awaits_role',
  'deprovisioned',
  'scim_external_id',
  'administrator',
  'assigned_profile',
  'user_name',
  'given_name',
  'family_name',
] as const;

// hashtextextended gives the 64 bits that an advisory lock is named by.
const LOCK = "hashtextextended('directory:' || current_setting('app.organisation'), 0)";

/** Who waits holds a connection meanwhile: not for as long as a large import takes. */
const WAITED = '5s';
const LOCK_NOT_AVAILABLE = '55P03';

/** Lets one change of the directory happen at a time; false where another one has the turn, soon or at once. */
export async function takeDirectory(sql: Queryable, wait: boolean): Promise<boolean> {
  if (wait) return waitForDirectory(sql);
  // An import. Right after another one statistics still say that there is hardly anybody: a loop over all would take minutes.
  await sql.query('SET LOCAL enable_nestloop = off');
  const [row] = await sql.query<{ taken: boolean }>(`SELECT pg_try_advisory_xact_lock(${LOCK}) AS taken`);
  return row?.taken === true;
}

async function waitForDirectory(sql: Queryable): Promise<boolean> {
  await sql.query(`SET LOCAL lock_timeout = '${WAITED}'`);
  try {
    await sql.query(`SELECT pg_advisory_xact_lock(${LOCK})`);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === LOCK_NOT_AVAILABLE) return false;
    throw error;
  }
  await sql.query('SET LOCAL lock_timeout = 0');
  return true;
}

/** Empties the stage. What is on it lives as long as a transaction: nobody but the change itself ever sees it. */
export async function clearStage(sql: Queryable): Promise<void> {
  await sql.query('DELETE FROM directory_incoming');
  await sql.query('DELETE FROM directory_diff');
}

/** Adds people to the stage. */
export const stagePeople = (sql: Queryable, people: readonly StagedPerson[]): Promise<object[]> =>
  sql.query(
    `INSERT INTO directory_incoming (organisation_id, user_id, external_id, manager_key, person)
     SELECT current_setting('app.organisation'), p ->> 'user_id', p ->> 'external_id', p ->> 'manager_key', p - 'user_id' - 'manager_key'
     FROM jsonb_array_elements($1) AS p`,
    [JSON.stringify(people)],
  );

/** Gives everybody on the stage their id, and their manager's. */
export async function identifyStaged(sql: Queryable): Promise<void> {
  await sql.query(
    `UPDATE directory_incoming i SET user_id = u.id FROM users u WHERE i.user_id IS NULL AND u.external_id = i.external_id`,
  );
  await sql.query("UPDATE directory_incoming SET user_id = switchboard_id('user') WHERE user_id IS NULL");
  await sql.query(
    `UPDATE directory_incoming i SET person = i.person || jsonb_build_object('manager_id', m.user_id)
     FROM directory_incoming m WHERE m.external_id = i.manager_key`,
  );
}
