import { execFile } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';

import { startChild } from '../../platform/child-process.ts';
import { readIfPresent } from '../../platform/files.ts';
import { freeLowPort, isPortFree, settlePort } from '../../platform/ports.ts';
import { awaitNamespace } from '../dev-server.ts';
import type { DevServer } from '../dev-server.ts';
import type { Say } from '../install.ts';
import { findServerPrograms } from './binaries.ts';
import { DYNAMIC_CONFIG, OTHER_PORTS, serverConfig, TEMPORAL_DATABASES } from './config.ts';
import type { ServerDatabase } from './config.ts';

/** How to run Temporal's own server on Postgres. */
export interface ProductionServerOptions {
  /** Folder of its configuration. */
  readonly folder: string;
  /** The server's role and where its databases are; both exist already. */
  readonly database: ServerDatabase;
  /** 0 picks a free one. */
  readonly port: number;
  readonly say: Say;
  readonly onLine?: (line: string) => void;
}

/** A server without a Web UI: that is a program of its own. */
export type ProductionServer = Omit<DevServer, 'uiPort'>;

const SCHEMA_STEP_MS = 120_000;

/** Brings the schema up to date and starts the server; answers once it can be used. */
export async function startProductionServer(options: ProductionServerOptions): Promise<ProductionServer> {
  const { folder, database, say } = options;
  const programs = await findServerPrograms(say);
  await updateSchema(programs.sqlTool, database);
  const port = await settlePort(options.port, { what: 'Temporal', variable: 'SWITCHBOARD_TEMPORAL_PORT', low: true });
  await writeConfig(folder, database, port);
  const child = await startChild({
    name: 'temporal',
    command: programs.server,
    args: ['--root', folder, '--config', '.', '--env', 'production', '--allow-no-auth', 'start'],
    env: { PATH: process.env['PATH'] ?? '', HOME: folder },
    cwd: folder,
    onLine: options.onLine,
  });
  const address = `127.0.0.1:${String(port)}`;
  await awaitNamespace(child, address, 'temporal-system');
  return {
    address,
    port,
    pid: child.pid,
    exited: child.exited.then(({ code }) => code),
    tail: child.tail,
    stop: async (graceMs = 15_000) => {
      await child.stop(graceMs);
    },
  };
}

/** Both steps do nothing where there is nothing to do; the password goes by the environment, which `ps` does not show. */
async function updateSchema(tool: string, { address, user, password }: ServerDatabase): Promise<void> {
  const [host = '', port = ''] = address.split(':');
  const env = { SQL_HOST: host, SQL_PORT: port, SQL_USER: user, SQL_PASSWORD: password, SQL_PLUGIN: 'postgres12' };
  const run = async (name: string, ...args: string[]): Promise<void> => {
    await promisify(execFile)(tool, args, { env: { ...env, SQL_DATABASE: name }, timeout: SCHEMA_STEP_MS });
  };
  for (const [kind, name] of [
    ['temporal', TEMPORAL_DATABASES.state],
    ['visibility', TEMPORAL_DATABASES.visibility],
  ] as const) {
    await run(name, 'setup-schema', '-v', '0.0').catch(() => undefined); // Refused once there is a schema.
    await run(name, 'update-schema', '--schema-name', `postgresql/v12/${kind}`);
  }
}

async function writeConfig(folder: string, database: ServerDatabase, frontend: number): Promise<void> {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const dynamic = path.join(folder, 'dynamic.yaml');
  // JSON is YAML too.
  writeFileSync(dynamic, JSON.stringify(DYNAMIC_CONFIG));
  const others = await otherPorts(path.join(folder, 'ports.json'));
  const config = serverConfig(database, { frontend, others }, dynamic);
  writeFileSync(path.join(folder, 'production.yaml'), JSON.stringify(config, null, 2), { mode: 0o600 });
}

/**
 * The same after every start: services find each other by a table of addresses, and wait for a minute for those that a
 * killed server left in it.
 */
async function otherPorts(file: string): Promise<number[]> {
  const kept = readIfPresent(file);
  const ports = kept === undefined ? [] : (JSON.parse(kept) as number[]);
  const free = await Promise.all(ports.map((port) => isPortFree(port)));
  if (ports.length === OTHER_PORTS && free.every(Boolean)) return ports;
  const found = new Set<number>();
  while (found.size < OTHER_PORTS) found.add(await freeLowPort());
  writeFileSync(file, JSON.stringify([...found]));
  return [...found];
}
