import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import type { Client } from '@temporalio/client';
import { DefaultLogger, NativeConnection, Runtime } from '@temporalio/worker';
import type { Worker } from '@temporalio/worker';

import { serveApi } from '../../api/serve.ts';
import type { Served } from '../../api/serve.ts';
import { openFeed } from '../../api/stream/feed.ts';
import type { KeysFile } from '../../cli/seed.ts';
import { seedOrganisation } from '../../cli/seed.ts';
import { createDatabase, dropDatabase } from '../../db/embedded/roles.ts';
import { migrate } from '../../db/migrate.ts';
import { openDatabase } from '../../db/pool.ts';
import type { Database } from '../../db/pool.ts';
import { loadProfiles } from '../../directory/profiles.ts';
import { createLogger } from '../../platform/log.ts';
import { openPrivacy } from '../../privacy/open.ts';
import { connectTemporal } from '../../temporal/connection.ts';
import { createWorkers } from '../../workers/orchestrator.ts';
import { testServers } from './environment.ts';

const PROFILES = path.resolve(import.meta.dirname, '../../profiles');

/** The whole product in this process, on a database and a task queue of its own. */
export interface TestStack {
  readonly apiUrl: string;
  /** API keys of the demo organisation by name: `finance-agent`, `Helena Voss` … */
  readonly keys: Readonly<Record<string, string>>;
  /** Ids by name. */
  readonly ids: Readonly<Record<string, string>>;
  readonly organisationId: string;
  /** A second organisation on the same database, with keys and ids of its own. */
  readonly other: {
    readonly keys: Readonly<Record<string, string>>;
    readonly ids: Readonly<Record<string, string>>;
    readonly organisationId: string;
  };
  readonly database: Database;
  readonly databaseUrl: string;
  readonly client: Client;
  readonly taskQueue: string;
  /** Stops the worker, as if its process had ended; the next call brings one back. */
  stopWorker(): Promise<void>;
  startWorker(): Promise<void>;
  close(): Promise<void>;
}

const byName = (file: KeysFile, field: 'key' | 'id'): Record<string, string> =>
  Object.fromEntries(file.keys.map((one) => [one.name, one[field]]));

// Once a process; the SDK's own lines would drown what the tests say.
Runtime.install({ logger: new DefaultLogger('ERROR') });

let made = 0;

/** Starts API and worker against the servers of `npm test`. Close it in `test.after.always`. */
export async function startStack(): Promise<TestStack> {
  const servers = testServers();
  const name = `test_${String(process.pid)}_${String((made += 1))}_${Date.now().toString(36)}`;
  const urls = await createDatabase({ ...servers.postgres }, name);
  await migrate(urls.ownerUrl);
  const folder = mkdtempSync(path.join(tmpdir(), 'switchboard-test-'));
  const log = createLogger({ name: 'test', level: process.env['SWITCHBOARD_TEST_LOG'] === 'true' ? 'info' : 'silent' });
  const database = openDatabase({ url: urls.appUrl, max: 20 });
  const seeded = await seedOrganisation(database, PROFILES);
  const second = await seedOrganisation(database, PROFILES);
  const { connection, client } = await connectTemporal(servers.temporal);
  const native = await NativeConnection.connect({ address: servers.temporal.address });
  const profiles = loadProfiles(PROFILES);
  const shared = { ...openPrivacy(path.join(folder, 'master.key'), database), database, profiles };
  const feed = await openFeed({ database, url: urls.appUrl, log });
  const served: Served = await serveApi(
    { ...shared, client, taskQueue: name, feed, log },
    { host: '127.0.0.1', port: 0 },
  );

  let running: { workers: readonly Worker[]; done: Promise<unknown> } | undefined;
  async function startWorker(): Promise<void> {
    const workers = await createWorkers({
      connection: native,
      namespace: servers.temporal.namespace,
      taskQueue: name,
      deps: { ...shared, allowPrivateWebhooks: true },
      workflowBundle: { codePath: servers.workflowBundle },
      maxCachedWorkflows: 100,
    });
    running = { workers, done: Promise.all(workers.map((worker) => worker.run())) };
  }
  async function stopWorker(): Promise<void> {
    for (const worker of running?.workers ?? []) worker.shutdown();
    await running?.done;
    running = undefined;
  }
  await startWorker();

  return {
    apiUrl: served.url,
    keys: byName(seeded, 'key'),
    ids: byName(seeded, 'id'),
    organisationId: seeded.organisation_id,
    other: { keys: byName(second, 'key'), ids: byName(second, 'id'), organisationId: second.organisation_id },
    database,
    databaseUrl: urls.appUrl,
    client,
    taskQueue: name,
    startWorker,
    stopWorker,
    async close() {
      await served.close();
      await feed.close();
      await stopWorker();
      await native.close();
      await connection.close();
      await database.close();
      await dropDatabase({ ...servers.postgres }, name);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
