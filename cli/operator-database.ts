import { existsSync } from 'node:fs';
import path from 'node:path';

import { readCredentials } from '../db/embedded/credentials.ts';
import { APP_ROLE, DATABASE } from '../db/embedded/roles.ts';
import { openDatabase } from '../db/pool.ts';
import type { Database } from '../db/pool.ts';
import type { Config } from '../platform/config.ts';

/** Opens the database that the running product works on: the configured one, or the one of `npm start`. */
export const openOperatorDatabase = (config: Config): Database =>
  openDatabase({ url: config.databaseUrl ?? embeddedUrl(config), max: 4 });

function embeddedUrl({ dataDir, postgresPort }: Config): string {
  if (!existsSync(path.join(dataDir, 'postgres-credentials.json')))
    throw new Error(`There is no database in ${dataDir}: run npm start first, or set SWITCHBOARD_DATABASE_URL.`);
  const { app } = readCredentials(dataDir);
  return `postgres://${APP_ROLE}:${app}@127.0.0.1:${String(postgresPort)}/${DATABASE}`;
}
