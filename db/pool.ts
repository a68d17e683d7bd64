import pg from 'pg';

/** Runs SQL; rows come back typed by the caller, who owns the statement. */
export interface Queryable {
  query<R extends object>(sql: string, values?: readonly unknown[]): Promise<R[]>;
}

/** The pool with organisation scope: the only way to reach tables, so that row-level security always has its tenant. */
export interface Database {
  /** Runs statements, each on its own, seeing only the organisation's rows. */
  inOrganisation<T>(organisationId: string, work: (sql: Queryable) => Promise<T>): Promise<T>;
  /** The same in one transaction: all of it or nothing. */
  transaction<T>(organisationId: string, work: (sql: Queryable) => Promise<T>): Promise<T>;
  /** Without an organisation: reaches nothing but the functions granted for it (key look-up, list of organisations). */
  unscoped<T>(work: (sql: Queryable) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

export interface DatabaseOptions {
  readonly url: string;
  /** Connections of this process, default 10. */
  readonly max?: number;
  readonly onError?: (error: Error) => void;
}

/** Statements that are parsed once a connection; whoever builds ever new ones goes without. */
const MOST_PREPARED = 500;
const statementNames = new Map<string, string>();

function statementName(sql: string): string | undefined {
  const known = statementNames.get(sql);
  if (known !== undefined || statementNames.size >= MOST_PREPARED) return known;
  const name = `s${String(statementNames.size)}`;
  statementNames.set(sql, name);
  return name;
}

const queryable = (client: pg.PoolClient): Queryable => ({
  async query<R extends object>(sql: string, values: readonly unknown[] = []) {
    const name = statementName(sql);
    const result = await client.query<R>({ text: sql, values: [...values], ...(name !== undefined && { name }) });
    return result.rows;
  },
});

async function release<T>(client: pg.PoolClient, work: () => Promise<T>): Promise<T> {
  try {
    const value = await work();
    client.release();
    return value;
  } catch (error) {
    // A connection in an unknown state (broken transaction, lost server) is closed, never reused.
    client.release(
      error instanceof Error && !('code' in error && typeof error.code === 'string' && /^\d/.test(error.code)),
    );
    throw error;
  }
}

async function inTransaction<T>(client: pg.PoolClient, work: (sql: Queryable) => Promise<T>): Promise<T> {
  await client.query('BEGIN');
  try {
    const value = await work(queryable(client));
    await client.query('COMMIT');
    return value;
  } catch (error) {
    await client.query('ROLLBACK').catch((rollback: unknown) => {
      throw new AggregateError([error, rollback], 'The transaction failed and could not be rolled back.');
    });
    throw error;
  }
}

/** Opens a pool of connections whose organisation is set before each piece of work. */
export function openDatabase({ url, max = 10, onError = () => undefined }: DatabaseOptions): Database {
  const pool = new pg.Pool({ connectionString: url, max, connectionTimeoutMillis: 5_000, query_timeout: 30_000 });
  pool.on('error', onError);
  // The pool hears a connection only while it is idle; one that is lost at work would end the process.
  pool.on('connect', (client) => client.on('error', onError));
  const scopes = new WeakMap<pg.PoolClient, string>();

  // The setting lives with the connection, so it costs a round trip only when the tenant changes.
  async function scoped(organisationId: string): Promise<pg.PoolClient> {
    const client = await pool.connect();
    if (scopes.get(client) === organisationId) return client;
    scopes.delete(client);
    try {
      await client.query("SELECT set_config('app.organisation', $1, false)", [organisationId]);
    } catch (error) {
      client.release(true);
      throw error;
    }
    scopes.set(client, organisationId);
    return client;
  }

  return {
    async inOrganisation(organisationId, work) {
      const client = await scoped(organisationId);
      return release(client, () => work(queryable(client)));
    },
    async transaction(organisationId, work) {
      const client = await scoped(organisationId);
      return release(client, () => inTransaction(client, work));
    },
    async unscoped(work) {
      const client = await scoped('');
      return release(client, () => work(queryable(client)));
    },
    close: () => pool.end(),
  };
}
