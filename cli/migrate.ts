import { startEmbeddedPostgres } from '../db/embedded/server.ts';
import { migrate } from '../db/migrate.ts';
import { loadConfig } from '../platform/config.ts';
import { say } from './say.ts';

/** Brings the configured database up to date, or the embedded one, which is started for it. */
export async function runMigrate(): Promise<void> {
  const { databaseOwnerUrl, databaseUrl, dataDir } = loadConfig();
  if (databaseOwnerUrl !== undefined) {
    report(await migrate(databaseOwnerUrl));
    return;
  }
  if (databaseUrl !== undefined)
    throw new Error('Set SWITCHBOARD_DATABASE_OWNER_URL: the application role may not migrate.');
  const server = await startEmbeddedPostgres({ dataDir, port: 0, say });
  try {
    report(await migrate(server.ownerUrl));
  } finally {
    await server.stop();
  }
}

function report(applied: readonly string[]): void {
  say(applied.length === 0 ? 'The database is up to date.' : `Applied: ${applied.join(', ')}`);
}
