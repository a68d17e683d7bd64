import type { EntityType } from '../contracts/principal.ts';
import type { Database } from './pool.ts';

/** A pseudonym and the value it stands for, sealed. */
export interface PseudonymRow {
  readonly pseudonym: string;
  readonly entity_type: EntityType;
  readonly sealed: Buffer;
  readonly key_version: number;
}

/** Where pseudonyms are kept. */
export interface PseudonymStore {
  /** Adds those that are not there and returns their names; rows that are there stay as they are. */
  put(organisationId: string, rows: readonly PseudonymRow[]): Promise<readonly string[]>;
  /** The rows of those that exist, in any order. */
  get(organisationId: string, pseudonyms: readonly string[]): Promise<readonly PseudonymRow[]>;
}

const INSERT = `
  INSERT INTO pseudonyms (organisation_id, pseudonym, entity_type, sealed, key_version)
  SELECT $1, * FROM unnest($2::text[], $3::text[], $4::bytea[], $5::int[])
  ON CONFLICT DO NOTHING
  RETURNING pseudonym`;

const SELECT = `
  SELECT pseudonym, entity_type, sealed, key_version FROM pseudonyms
  WHERE organisation_id = $1 AND pseudonym = ANY($2::text[])`;

/** Keeps pseudonyms in the table of that name. */
export const createPseudonymStore = (database: Database): PseudonymStore => ({
  async put(organisationId, rows) {
    // One order for all writers, or two of them could wait for each other.
    const sorted = [...rows].sort((a, b) => (a.pseudonym < b.pseudonym ? -1 : 1));
    const columns = [
      sorted.map((row) => row.pseudonym),
      sorted.map((row) => row.entity_type),
      sorted.map((row) => row.sealed),
      sorted.map((row) => row.key_version),
    ];
    const added = await database.inOrganisation(organisationId, (sql) =>
      sql.query<{ pseudonym: string }>(INSERT, [organisationId, ...columns]),
    );
    return added.map(({ pseudonym }) => pseudonym);
  },
  get: (organisationId, pseudonyms) =>
    database.inOrganisation(organisationId, (sql) => sql.query<PseudonymRow>(SELECT, [organisationId, pseudonyms])),
});
