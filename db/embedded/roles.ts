import pg from 'pg';

import type { Credentials } from './credentials.ts';

/** The database of the product and its two roles: one owns the tables, the other works under row-level security. */
export const DATABASE = 'switchboard';
export const OWNER_ROLE = 'switchboard_owner';
export const APP_ROLE = 'switchboard_app';

/** A database on a running server, as its owner and as the application see it. */
export interface Database {
  readonly ownerUrl: string;
  readonly appUrl: string;
}

/** Makes both roles, with these passwords, and the product's database where they are missing. */
export async function ensureRolesAndDatabase(superuserUrl: string, { owner, app }: Credentials): Promise<void> {
  await withClient(superuserUrl, async (client) => {
    await ensureRole(client, OWNER_ROLE, owner);
    await ensureRole(client, APP_ROLE, app);
    const { rowCount } = await client.query('select from pg_database where datname = $1', [DATABASE]);
    if (rowCount === 0) await makeDatabase(client, DATABASE);
  });
}

/** Makes a role of another program, and databases that it owns, where they are missing. */
export async function ensureForeignDatabases(
  superuserUrl: string,
  role: { readonly name: string; readonly password: string },
  names: readonly string[],
): Promise<void> {
  await withClient(superuserUrl, async (client) => {
    await ensureRole(client, role.name, role.password);
    for (const name of names) {
      const { rowCount } = await client.query('select from pg_database where datname = $1', [name]);
      if (rowCount === 0) await client.query(`create database ${name} owner ${role.name}`);
    }
  });
}

/** Makes an empty database with the same owner and rights beside the product's, for a test of its own. */
export async function createDatabase(server: { superuserUrl: string } & Database, name: string): Promise<Database> {
  if (!/^[a-z][a-z0-9_]{0,62}$/.test(name)) throw new Error(`"${name}" is no database name: a-z, 0-9 and _ only.`);
  await withClient(server.superuserUrl, (client) => makeDatabase(client, name));
  return { ownerUrl: onDatabase(server.ownerUrl, name), appUrl: onDatabase(server.appUrl, name) };
}

/** Removes a database made by `createDatabase`, with all who are connected to it. */
export async function dropDatabase(server: { superuserUrl: string }, name: string): Promise<void> {
  await withClient(server.superuserUrl, (client) =>
    client.query(`drop database if exists ${pg.escapeIdentifier(name)} with (force)`),
  );
}

async function ensureRole(client: pg.Client, role: string, password: string): Promise<void> {
  const { rowCount } = await client.query('select from pg_roles where rolname = $1', [role]);
  await client.query(
    `${rowCount === 0 ? 'create' : 'alter'} role ${role} with login nosuperuser nocreatedb nocreaterole noreplication nobypassrls password ${pg.escapeLiteral(password)}`,
  );
}

async function makeDatabase(client: pg.Client, name: string): Promise<void> {
  const database = pg.escapeIdentifier(name);
  await client.query(`create database ${database} owner ${OWNER_ROLE}`);
  await client.query(`revoke all on database ${database} from public`);
  await client.query(`grant connect on database ${database} to ${APP_ROLE}`);
}

async function withClient<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 10_000 });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

function onDatabase(url: string, name: string): string {
  const address = new URL(url);
  address.pathname = `/${name}`;
  return address.href;
}
