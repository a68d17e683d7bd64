import path from 'node:path';

import { ensureForeignDatabases } from '../../db/embedded/roles.ts';
import type { Config } from '../../platform/config.ts';
import { randomPassword, readOrCreatePrivate } from '../../platform/files.ts';
import { startDevServer } from '../../temporal/dev-server.ts';
import { TEMPORAL_DATABASES } from '../../temporal/production/config.ts';
import { startProductionServer } from '../../temporal/production/server.ts';
import { temporalFolder } from './leftovers.ts';
import type { Running } from './supervisor.ts';

const ROLE = 'temporal';

/** What both kinds of server need to start. */
export interface TemporalPart {
  readonly config: Config;
  readonly say: (line: string) => void;
  readonly onLine: (line: string) => void;
}

/** A Temporal server as a part of the stack. */
export type TemporalRunning = Running & { readonly address: string; readonly port: number };

/** Starts the development server, whose state is a file. */
export const startDevelopment = (
  { config, say, onLine }: TemporalPart,
  program: string | undefined,
): Promise<TemporalRunning> =>
  startDevServer({
    folder: temporalFolder(config.dataDir),
    port: config.temporalPort,
    uiPort: config.temporalUiPort,
    codecEndpoint: `${config.publicUrl}/codec`,
    namespace: config.temporalNamespace,
    ...(program === undefined ? {} : { program }),
    say,
    onLine,
  });

/** Starts the real server, whose state is in databases of its own on the embedded Postgres. */
export async function startOnPostgres(
  { config, say, onLine }: TemporalPart,
  superuserUrl: string,
): Promise<TemporalRunning> {
  const folder = path.join(config.dataDir, 'temporal-server');
  const password = readOrCreatePrivate(path.join(config.dataDir, 'temporal-password'), randomPassword);
  await ensureForeignDatabases(superuserUrl, { name: ROLE, password }, Object.values(TEMPORAL_DATABASES));
  const { host: address } = new URL(superuserUrl);
  const database = { address, user: ROLE, password };
  return startProductionServer({ folder, database, port: config.temporalPort, say, onLine });
}
