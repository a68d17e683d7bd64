import type { Queryable } from './pool.ts';

/** One version of what an organisation adds to the policies of the release. */
export interface PolicyVersionRow {
  readonly version: number;
  readonly text: string;
  readonly digest: string;
  readonly created_by: string;
  readonly created_at: Date;
}

const COLUMNS = 'version, text, digest, created_by, created_at';

/** The version in force; undefined where there never was one. */
export const currentPolicies = async (sql: Queryable): Promise<PolicyVersionRow | undefined> =>
  (await sql.query<PolicyVersionRow>(`SELECT ${COLUMNS} FROM organisation_policies ORDER BY version DESC LIMIT 1`))[0];

/** Makes changes of an organisation's policies wait for each other; inside a transaction. */
export const lockPolicies = (sql: Queryable): Promise<object[]> =>
  sql.query("SELECT pg_advisory_xact_lock(hashtextextended('policies|' || current_setting('app.organisation'), 0))");

/** Stores the next version. */
export async function addPolicies(
  sql: Queryable,
  row: Omit<PolicyVersionRow, 'created_at'>,
): Promise<PolicyVersionRow | undefined> {
  const rows = await sql.query<PolicyVersionRow>(
    `INSERT INTO organisation_policies (organisation_id, version, text, digest, created_by)
     VALUES (current_setting('app.organisation'), $1, $2, $3, $4) RETURNING ${COLUMNS}`,
    [row.version, row.text, row.digest, row.created_by],
  );
  return rows[0];
}
