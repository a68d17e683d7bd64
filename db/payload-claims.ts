import type { Database, Queryable } from './pool.ts';

// Longer than any run of a workflow lasts, with the time its history is kept.
const KEPT = '400 days';

/** Payloads that are too large for a history, already encrypted. */
export const createClaimStore = (database: Database) => ({
  put: async (organisationId: string, id: string, payload: Buffer): Promise<void> => {
    await database.inOrganisation(organisationId, (sql) =>
      sql.query(
        `INSERT INTO payload_claims (organisation_id, id, payload)
         VALUES (current_setting('app.organisation'), $1, $2) ON CONFLICT DO NOTHING`,
        [id, payload],
      ),
    );
  },
  get: async (organisationId: string, id: string): Promise<Buffer | undefined> => {
    const rows = await database.inOrganisation(organisationId, (sql) =>
      sql.query<{ payload: Buffer }>('SELECT payload FROM payload_claims WHERE id = $1', [id]),
    );
    return rows[0]?.payload;
  },
});

/** Removes payloads whose histories are long gone. */
export const sweepClaims = (sql: Queryable): Promise<object[]> =>
  sql.query('DELETE FROM payload_claims WHERE created_at < now() - $1::interval', [KEPT]);

/** Removes all of an organisation, with its keys. */
export const eraseClaims = (sql: Queryable): Promise<object[]> => sql.query('DELETE FROM payload_claims');
