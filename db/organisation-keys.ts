import type { Queryable } from './pool.ts';

/** One version of an organisation's key, sealed under the master key; nothing where it was erased. */
export interface OrganisationKeyRow {
  readonly version: number;
  readonly wrapped: Buffer | null;
  readonly master_version: number;
  readonly status: 'current' | 'retired' | 'erased';
  readonly created_at: Date;
  readonly erased_at: Date | null;
}

/** A sealed key that is to be stored. */
export type NewOrganisationKey = Pick<OrganisationKeyRow, 'version' | 'master_version'> & { readonly wrapped: Buffer };

/** All versions of the organisation's key, the oldest first. */
export const listOrganisationKeys = (sql: Queryable): Promise<OrganisationKeyRow[]> =>
  sql.query<OrganisationKeyRow>(
    'SELECT version, wrapped, master_version, status, created_at, erased_at FROM organisation_keys ORDER BY version',
  );

/** Stores a key as the current one, unless there is one of this version: then somebody else was quicker. */
export const addOrganisationKey = (sql: Queryable, key: NewOrganisationKey): Promise<object[]> =>
  sql.query(
    `INSERT INTO organisation_keys (organisation_id, version, wrapped, master_version, status)
     VALUES (current_setting('app.organisation'), $1, $2, $3, 'current') ON CONFLICT DO NOTHING RETURNING version`,
    [key.version, key.wrapped, key.master_version],
  );

/** Makes changes of an organisation's keys wait for each other; inside a transaction. */
export const lockOrganisationKeys = (sql: Queryable): Promise<object[]> =>
  sql.query("SELECT pg_advisory_xact_lock(hashtextextended('keys|' || current_setting('app.organisation'), 0))");

/** The current key stays readable, but nothing is encrypted with it any more. */
export const retireOrganisationKeys = (sql: Queryable): Promise<object[]> =>
  sql.query("UPDATE organisation_keys SET status = 'retired' WHERE status = 'current'");

/** Destroys all versions, and leaves a mark where there is none, so that no key is made later. Answers how many. */
export async function eraseOrganisationKeys(sql: Queryable): Promise<number> {
  const erased = await sql.query(
    "UPDATE organisation_keys SET status = 'erased', wrapped = NULL, erased_at = now() WHERE status <> 'erased' RETURNING version",
  );
  if (erased.length === 0)
    await sql.query(
      `INSERT INTO organisation_keys (organisation_id, version, master_version, status, erased_at)
       VALUES (current_setting('app.organisation'), 1, 1, 'erased', now()) ON CONFLICT DO NOTHING`,
    );
  return erased.length;
}

/** Whether the organisation was erased, with its keys. */
export const isErased = async (sql: Queryable): Promise<boolean> =>
  (await sql.query("SELECT 1 FROM organisation_keys WHERE status = 'erased' LIMIT 1")).length > 0;
