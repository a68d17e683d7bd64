import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';

import { SEARCH_ATTRIBUTES } from '../../contracts/search-attributes.ts';
import { startEmbeddedPostgres } from '../../db/embedded/server.ts';
import { connectTemporal } from '../../temporal/connection.ts';
import { startDevServer } from '../../temporal/dev-server.ts';
import type { DevServer } from '../../temporal/dev-server.ts';
import { ensureNamespace } from '../../temporal/namespace.ts';
import type { TestServers } from '../../test/support/environment.ts';
import { bundleWorkflows } from '../../workers/orchestrator.ts';

/** Servers that run until they are stopped. */
export interface RunningServers extends TestServers {
  stop(): Promise<void>;
}

const NAMESPACE = 'default';
const attributes = Object.fromEntries(Object.values(SEARCH_ATTRIBUTES).map(({ name }) => [name, 'Keyword' as const]));

type Stop = () => Promise<void> | void;

/** Starts Postgres, Temporal and the bundle for a run of tests; leaves nothing behind where one cannot. */
export async function startServers(say: (line: string) => void): Promise<RunningServers> {
  const stops: Stop[] = [];
  const stop = async (): Promise<void> => {
    for (const undo of stops.splice(0).reverse()) await undo();
  };
  const folder = mkdtempSync(path.join(os.tmpdir(), 'switchboard-tests-'));
  stops.push(() => rmSync(folder, { recursive: true, force: true }));
  // The user who runs Postgres must be able to pass through.
  chmodSync(folder, 0o711);
  const parts = [startPostgres(folder, stops), startTemporal(stops, say), bundle(folder)] as const;
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

async function startPostgres(folder: string, stops: Stop[]): Promise<TestServers['postgres']> {
  const server = await startEmbeddedPostgres({ dataDir: folder, port: 0, ephemeral: true });
  stops.push(() => server.stop());
  return server;
}

async function startTemporal(stops: Stop[], say: (line: string) => void): Promise<TestServers['temporal']> {
  const server = await startDevServer({ port: 0, uiPort: 0, namespace: NAMESPACE, say });
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
