import pg from 'pg';

import { setKey } from '../../db/seed.ts';
import { newApiKey } from '../../platform/api-key.ts';
import { newId } from '../../platform/ids.ts';
import { callerWith } from './caller.ts';
import type { Caller } from './caller.ts';
import { testServers } from './environment.ts';
import type { TestStack } from './stack.ts';

let made = 0;

/** Adds an agent with a key to the demo organisation; it is offline until it sends a heartbeat. */
export async function addAgent(
  { database, organisationId, apiUrl }: TestStack,
  role: string,
  {
    actsFor = null,
    skills = [],
    capacity = 10,
  }: { readonly actsFor?: string | null; readonly skills?: readonly string[]; readonly capacity?: number } = {},
): Promise<Caller> {
  const id = newId('agent');
  const name = `${role}-agent-${String((made += 1))}`;
  const { key, keyId, hash } = newApiKey();
  await database.transaction(organisationId, async (sql) => {
    await sql.query(
      `INSERT INTO agents (organisation_id, id, name, role, acts_for, skills, capacity)
       VALUES (current_setting('app.organisation'), $1, $2, $3, $4, $5, $6)`,
      [id, name, role, actsFor, skills, capacity],
    );
    await setKey(sql, { kind: 'agent', id }, keyId, hash);
  });
  return callerWith(apiUrl, { name, id, key });
}

/** Runs SQL as the superuser on the stack's database: sees every organisation's rows. */
export async function asOwner<R extends object>(
  { databaseUrl }: TestStack,
  sql: string,
  values: readonly unknown[] = [],
): Promise<R[]> {
  const url = new URL(testServers().postgres.superuserUrl);
  url.pathname = new URL(databaseUrl).pathname;
  const client = new pg.Client({ connectionString: url.href });
  await client.connect();
  try {
    return (await client.query<R>(sql, [...values])).rows;
  } finally {
    await client.end();
  }
}

/** How many rows each table holds, whosever they are. */
export async function rowCounts(stack: TestStack): Promise<Record<string, number>> {
  const tables = await asOwner<{ name: string }>(
    stack,
    "SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public' ORDER BY 1",
  );
  const counts = tables.map(({ name }) => `SELECT '${name}' AS name, count(*)::int AS count FROM "${name}"`);
  const rows = await asOwner<{ name: string; count: number }>(stack, counts.join(' UNION ALL '));
  return Object.fromEntries(rows.map(({ name, count }) => [name, count]));
}
