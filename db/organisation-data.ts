import pg from 'pg';

/** What is left of an organisation that was erased: the record, which names nobody, and the marks of its keys. */
const KEPT = /^(organisations|organisation_keys|audit_.*)$/;
const ROWS_AT_ONCE = 1_000;

/** A row of any table, as JSON; binary columns left out. */
export type AnyRow = Readonly<Record<string, unknown>>;

/** All that is stored of one organisation, read and erased by the owner of the tables. */
export interface OrganisationData {
  /** Tables that hold rows of organisations. */
  tables(): Promise<string[]>;
  /** The rows of a table, some at a time, all as they were at one moment. */
  rows(table: string): AsyncIterable<readonly AnyRow[]>;
  /** Deletes everything but the record. Answers the number of rows by table. */
  erase(): Promise<Record<string, number>>;
  close(): Promise<void>;
}

/** Opens the data of an organisation for its export or erasure; throws where there is no such organisation. */
export async function openOrganisationData(ownerUrl: string, organisationId: string): Promise<OrganisationData> {
  const client = new pg.Client({ connectionString: ownerUrl });
  await client.connect();
  const { rowCount } = await client.query('SELECT 1 FROM organisations WHERE organisation_id = $1', [organisationId]);
  if (rowCount === 0) {
    await client.end();
    throw new Error(`There is no organisation ${organisationId}: see "organisation list".`);
  }
  await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ');
  return new StoredData(client, organisationId);
}

class StoredData implements OrganisationData {
  private readonly client: pg.Client;
  private readonly organisationId: string;

  constructor(client: pg.Client, organisationId: string) {
    this.client = client;
    this.organisationId = organisationId;
  }

  async tables(): Promise<string[]> {
    const { rows } = await this.client.query<{ name: string }>(
      `SELECT c.table_name AS name FROM information_schema.columns c
       JOIN information_schema.tables t USING (table_schema, table_name)
       WHERE c.table_schema = 'public' AND c.column_name = 'organisation_id' AND t.table_type = 'BASE TABLE' ORDER BY 1`,
    );
    return rows.map(({ name }) => name);
  }

  async *rows(table: string): AsyncIterable<readonly AnyRow[]> {
    const columns = await this.columns(table);
    const select = `SELECT ${columns.join(', ')} FROM ${pg.escapeIdentifier(table)} WHERE organisation_id = ${pg.escapeLiteral(this.organisationId)}`;
    await this.client.query(`DECLARE rows NO SCROLL CURSOR FOR ${select}`);
    for (;;) {
      const { rows } = await this.client.query<AnyRow>(`FETCH ${String(ROWS_AT_ONCE)} FROM rows`);
      if (rows.length === 0) break;
      yield rows;
    }
    await this.client.query('CLOSE rows');
  }

  async erase(): Promise<Record<string, number>> {
    await this.client.query('SET CONSTRAINTS ALL DEFERRED');
    const counts: Record<string, number> = {};
    for (const table of (await this.tables()).filter((name) => !KEPT.test(name))) {
      const statement = `DELETE FROM ${pg.escapeIdentifier(table)} WHERE organisation_id = $1`;
      counts[table] = (await this.client.query(statement, [this.organisationId])).rowCount ?? 0;
    }
    await this.client.query(
      "UPDATE organisations SET name = 'erased', erased_at = coalesce(erased_at, now()) WHERE organisation_id = $1",
      [this.organisationId],
    );
    await this.client.query('COMMIT');
    return counts;
  }

  async close(): Promise<void> {
    await this.client.end();
  }

  /** Hashes, sealed values and signatures say nothing to a reader. */
  private async columns(table: string): Promise<string[]> {
    const { rows } = await this.client.query<{ name: string }>(
      `SELECT column_name AS name FROM information_schema.columns
       WHERE table_schema = 'public' AND table_name = $1 AND data_type <> 'bytea' ORDER BY ordinal_position`,
      [table],
    );
    return rows.map(({ name }) => pg.escapeIdentifier(name));
  }
}
