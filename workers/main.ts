import { execFile } from 'node:child_process';
import { rm } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';

import { DefaultLogger, NativeConnection, Runtime } from '@temporalio/worker';
import type { Worker } from '@temporalio/worker';

import { runSealer } from '../db/audit/sealer.ts';
import { createClaimStore } from '../db/payload-claims.ts';
import { SYSTEM_ORGANISATION } from '../contracts/codec.ts';
import { openDatabase } from '../db/pool.ts';
import { loadProfiles } from '../directory/profiles.ts';
import { loadRecipes } from '../directory/recipes.ts';
import { openOrganisationSettings } from '../directory/settings.ts';
import { loadConfig } from '../platform/config.ts';
import type { Config } from '../platform/config.ts';
import { createLogger } from '../platform/log.ts';
import { reportReady } from '../platform/ready.ts';
import { guardRegularExpressions } from '../platform/regexp.ts';
import { configureShutdown, onShutdown } from '../platform/shutdown.ts';
import { followBase } from '../policy/reload.ts';
import { openKeyRing } from '../privacy/key-ring.ts';
import { openPrivacy } from '../privacy/open.ts';
import { connectTemporal } from '../temporal/connection.ts';
import { createDataConverter } from '../temporal/data-converter.ts';
import { ensureDirectorySchedule, ensureReconcileSchedule } from '../temporal/schedules.ts';
import { promoteBuild } from '../temporal/versions.ts';
import { buildIdOf, deploymentOf } from './deployment.ts';
import { createWorkers } from './orchestrator.ts';
import { keepRecipeSchedules } from './recipe-schedules.ts';

const root = path.resolve(import.meta.dirname, '..');
const PROMOTED_WITHIN_MS = 60_000;

/** The prebuilt bundle of production, or one made by a process of its own: see workers/bundle.ts. */
async function bundleOf({ workflowBundle, dataDir }: Config): Promise<{ readonly codePath: string }> {
  if (workflowBundle !== undefined) return { codePath: workflowBundle };
  const codePath = path.join(dataDir, `workflow-bundle-${String(process.pid)}.js`);
  await promisify(execFile)(process.execPath, [path.join(import.meta.dirname, 'bundle.ts'), codePath]);
  onShutdown('bundle', () => rm(codePath, { force: true }));
  return { codePath };
}

/** Temporal's own log lines, in ours. */
function installRuntime(log: ReturnType<typeof createLogger>): void {
  const levels = { TRACE: 'trace', DEBUG: 'debug', INFO: 'info', WARN: 'warn', ERROR: 'error' } as const;
  const logger = new DefaultLogger('WARN', ({ level, message, meta }) => {
    log[levels[level]]({ ...meta }, message);
  });
  // Signals are ours: the worker drains in its place in the order of the stop.
  Runtime.install({ logger, shutdownSignals: [] });
}

/** The policies of the release, and what organisations set for themselves. */
async function settingsOf(
  options: Parameters<typeof openOrganisationSettings>[0] & { readonly log: ReturnType<typeof createLogger> },
) {
  onShutdown('policies', followBase(options.log));
  const settings = await openOrganisationSettings(options);
  onShutdown('settings', () => settings.close());
  return settings;
}

/** Runs the workers until the process is told to stop; short activities finish first. */
async function main(): Promise<void> {
  guardRegularExpressions();
  const config = loadConfig();
  const log = createLogger({ name: 'worker', level: config.logLevel });
  configureShutdown({ graceMs: config.shutdownGraceMs, log });
  installRuntime(log);
  const url = config.databaseUrl;
  if (url === undefined)
    throw new Error('SWITCHBOARD_DATABASE_URL is not set: the worker needs a database. `npm start` brings one.');
  const database = openDatabase({
    url,
    max: 20,
    onError: (error) => log.warn({ error: error.message }, 'a database connection was lost'),
  });
  onShutdown('database', () => database.close());
  onShutdown('sealer', runSealer(database, config.dataDir, log));
  const address = config.temporalAddress ?? `127.0.0.1:${String(config.temporalPort)}`;
  const namespace = config.temporalNamespace;
  const { masterKey, ...privacy } = openPrivacy(path.join(config.dataDir, 'master.key'), database);
  const keyRing = await openKeyRing({ masterKey, database, url, patienceMs: Infinity });
  onShutdown('keys', () => keyRing.close());
  // Failures are encrypted with it even where nobody knows whose they are: it must be there before the first.
  await keyRing.forPurpose('history').current(SYSTEM_ORGANISATION);
  const dataConverter = createDataConverter(keyRing.forPurpose('history'), createClaimStore(database));
  const temporal = await connectTemporal({ address, namespace, dataConverter });
  const connection = await NativeConnection.connect({ address });
  onShutdown('temporal', async () => {
    await connection.close();
    await temporal.connection.close();
  });
  const profiles = loadProfiles(path.join(root, 'profiles'));
  const { profilesOf } = await settingsOf({ database, url, log, profiles });
  const recipes = loadRecipes(root, profiles);
  const deps = { ...privacy, database, profilesOf, recipes, allowPrivateWebhooks: config.webhookAllowPrivate };
  const taskQueue = config.temporalTaskQueue;
  const bundle = await bundleOf(config);
  const buildId = config.buildId ?? (await buildIdOf(bundle.codePath));
  const deploymentName = config.workerDeployment;
  const workers = await createWorkers({
    connection,
    namespace,
    taskQueue,
    deps,
    dataConverter,
    workflowBundle: bundle,
    maxCachedWorkflows: config.workerMaxCachedWorkflows,
    deployment: deploymentOf({ deploymentName, buildId, promote: config.workerPromote }),
  });
  await ensureReconcileSchedule(temporal.client, taskQueue);
  onShutdown('recipes', keepRecipeSchedules({ database, client: temporal.client, taskQueue, profilesOf, log }));
  await ensureDirectorySchedule(temporal.client, taskQueue);
  const deployment = { connection: temporal.connection, namespace, name: deploymentName };
  await runAll(workers, async () => {
    if (config.workerPromote) await promoteBuild(deployment, buildId, PROMOTED_WITHIN_MS);
    log.info({ build_id: buildId, promoted: config.workerPromote }, 'the worker asks for work');
  });
  log.info('the worker has stopped');
}

/** Runs the workers to their end; reports that they are ready once they ask for work and `begun` is through. */
async function runAll(workers: readonly Worker[], begun: () => Promise<void>): Promise<void> {
  const runs = workers.map((worker) => worker.run());
  onShutdown('worker', async () => {
    for (const worker of workers) if (worker.getState() === 'RUNNING') worker.shutdown();
    await Promise.allSettled(runs);
  });
  const ended = Promise.all(runs);
  await Promise.race([begun(), ended]);
  reportReady();
  await ended;
}

main().catch((error: unknown) => {
  createLogger({ name: 'worker' }).fatal({ err: error }, 'the worker failed');
  process.exit(1);
});
