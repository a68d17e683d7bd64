import path from 'node:path';
import { runner } from 'node-pg-migrate';

const migrations = path.resolve(import.meta.dirname, 'migrations');

/** Brings the database up to date; several at once wait for each other. Answers the names of what was applied. */
export async function migrate(ownerUrl: string, folder = migrations): Promise<string[]> {
  const applied = await runner({
    databaseUrl: ownerUrl,
    dir: folder,
    direction: 'up',
    migrationsTable: 'migrations',
    // A migration changes the schema whole or not at all.
    singleTransaction: true,
    advisoryLockMode: 'wait',
    log: () => undefined,
  });
  return applied.map(({ name }) => name);
}
