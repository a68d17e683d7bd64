import { chmodSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';

import { SEARCH_ATTRIBUTES } from '../../contracts/search-attributes.ts';
import { startEmbeddedPostgres, stopOrphanPostgres } from '../../db/embedded/server.ts';
import { readIfPresent } from '../../platform/files.ts';
import { isAlive } from '../../platform/process-info.ts';
import { connectTemporal } from '../../temporal/connection.ts';
import { startDevServer, stopOrphanDevServer } from '../../temporal/dev-server.ts';
import type { DevServer } from '../../temporal/dev-server.ts';
import { ensureNamespace } from '../../temporal/namespace.ts';
import type { TestServers } from '../../test/support/environment.ts';
import { bundleWorkflows } from '../../workers/orchestrator.ts';

/** Servers that run until they are stopped. */
export interface RunningServers extends TestServers {
  stop(): Promise<void>;
}

const NAMESPACE = 'default';
const PREFIX = 'switchboard-tests-';
const PID_FILE = 'run.pid';
const temporalIn = (folder: string): string => path.join(folder, 'temporal');
const attributes = Object.fromEntries(Object.values(SEARCH_ATTRIBUTES).map(({ name }) => [name, 'Keyword' as const]));

type Stop = () => Promise<void> | void;

/** Starts Postgres, Temporal and the bundle for a run of tests; leaves nothing behind where one cannot. */
export async function startServers(say: (line: string) => void): Promise<RunningServers> {
  const stops: Stop[] = [];
  const stop = async (): Promise<void> => {
    for (const undo of stops.splice(0).reverse()) await undo();
  };
  await removeLeftovers();
  const folder = mkdtempSync(path.join(os.tmpdir(), PREFIX));
  stops.push(() => rmSync(folder, { recursive: true, force: true }));
  writeFileSync(path.join(folder, PID_FILE), String(process.pid));
  // The user who runs Postgres must be able to pass through.
  chmodSync(folder, 0o711);
  const parts = [startPostgres(folder, stops), startTemporal(folder, stops, say), bundle(folder)] as const;
  try {
    // All have to be settled first: what starts late must be stopped too.
    await Promise.allSettled(parts);
    const [postgres, temporal, workflowBundle] = await Promise.all(parts);
    return { postgres, temporal, workflowBundle, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Ends what a run left behind that was killed; a run under way, of whomever, keeps what it has. */
async function removeLeftovers(): Promise<void> {
  for (const name of readdirSync(os.tmpdir()).filter((one) => one.startsWith(PREFIX))) {
    const folder = path.join(os.tmpdir(), name);
    const pid = Number(readIfPresent(path.join(folder, PID_FILE)) ?? NaN);
    if (Number.isNaN(pid) || isAlive(pid)) continue;
    await stopOrphanDevServer(temporalIn(folder));
    await stopOrphanPostgres(folder);
    rmSync(folder, { recursive: true, force: true });
  }
}

async function startPostgres(folder: string, stops: Stop[]): Promise<TestServers['postgres']> {
  const server = await startEmbeddedPostgres({ dataDir: folder, port: 0, ephemeral: true });
  stops.push(() => server.stop());
  return server;
}

async function startTemporal(
  folder: string,
  stops: Stop[],
  say: (line: string) => void,
): Promise<TestServers['temporal']> {
  const server = await startDevServer({ folder: temporalIn(folder), port: 0, uiPort: 0, namespace: NAMESPACE, say });
  stops.push(() => server.stop());
  await makeSearchable(server);
  return { address: server.address, namespace: NAMESPACE };
}

async function makeSearchable({ address }: DevServer): Promise<void> {
  const { connection } = await connectTemporal({ address, namespace: NAMESPACE });
  await ensureNamespace(connection, NAMESPACE, attributes).finally(() => connection.close());
}

async function bundle(folder: string): Promise<string> {
  const { code } = await bundleWorkflows();
  const file = path.join(folder, 'workflow-bundle.js');
  writeFileSync(file, code);
  return file;
}
