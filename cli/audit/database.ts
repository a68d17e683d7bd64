import path from 'node:path';

import { readCredentials } from '../../db/embedded/credentials.ts';
import { locateCluster } from '../../db/embedded/location.ts';
import { APP_ROLE, DATABASE, OWNER_ROLE } from '../../db/embedded/roles.ts';
import { organisationIds } from '../../db/deliveries.ts';
import { openDatabase } from '../../db/pool.ts';
import type { Database } from '../../db/pool.ts';
import type { Config } from '../../platform/config.ts';
import { readIfPresent } from '../../platform/files.ts';
import { isAlive } from '../../platform/process-info.ts';

type Role = 'app' | 'owner';

interface Address {
  readonly url: string;
  readonly stop: () => Promise<void>;
}

/** The server of the data folder, where it runs: lines 1 and 4 of postmaster.pid are its process and its port. */
function runningServer({ dataDir }: Config, role: Role): string | undefined {
  const [pid = '', , , port = ''] = (
    readIfPresent(path.join(locateCluster(dataDir).cluster, 'postmaster.pid')) ?? ''
  ).split('\n');
  if (!/^\d+$/.test(pid) || !/^\d+$/.test(port) || !isAlive(Number(pid))) return undefined;
  const { app, owner } = readCredentials(dataDir);
  const [name, password] = role === 'app' ? [APP_ROLE, app] : [OWNER_ROLE, owner];
  return `postgres://${name}:${password}@127.0.0.1:${port}/${DATABASE}`;
}

async function addressOf(config: Config, role: Role): Promise<Address> {
  const stop = (): Promise<void> => Promise.resolve();
  const configured = role === 'app' ? config.databaseUrl : config.databaseOwnerUrl;
  if (configured !== undefined) return { url: configured, stop };
  if ((config.databaseUrl ?? config.databaseOwnerUrl) !== undefined)
    throw new Error(`Set SWITCHBOARD_DATABASE_${role === 'app' ? '' : 'OWNER_'}URL: this command works as that role.`);
  const running = runningServer(config, role);
  if (running !== undefined) return { url: running, stop };
  const { startEmbeddedPostgres } = await import('../../db/embedded/server.ts');
  const server = await startEmbeddedPostgres({ dataDir: config.dataDir, port: 0 });
  return { url: role === 'app' ? server.appUrl : server.ownerUrl, stop: () => server.stop() };
}

/** Works on the configured database, or on the one of the data folder, which is started where it does not run. */
export async function withDatabase<T>(
  config: Config,
  role: Role,
  work: (database: Database) => Promise<T>,
): Promise<T> {
  const { url, stop } = await addressOf(config, role);
  const database = openDatabase({ url, max: 2 });
  try {
    return await work(database);
  } finally {
    await database.close();
    await stop();
  }
}

/** The organisations asked for: the one named, or all there are. */
export async function organisationsOf(database: Database, named: string | undefined): Promise<string[]> {
  const all = await database.unscoped(organisationIds);
  if (named === undefined) return all;
  if (!all.includes(named))
    throw new Error(`There is no organisation ${named}. There are: ${all.join(', ') || 'none'}.`);
  return [named];
}

/** The one organisation asked for; it has to be named where there are several. */
export async function organisationOf(database: Database, named: string | undefined): Promise<string> {
  const [only, ...others] = await organisationsOf(database, named);
  if (only === undefined) throw new Error('There is no organisation.');
  if (others.length > 0) throw new Error(`Name one with --organisation: ${[only, ...others].join(', ')}.`);
  return only;
}
