import path from 'node:path';

import { startEmbeddedPostgres } from '../../db/embedded/server.ts';
import { migrate } from '../../db/migrate.ts';
import type { Config } from '../../platform/config.ts';
import { acquireLock, LockHeldError } from '../../platform/lock-file.ts';
import type { Lock } from '../../platform/lock-file.ts';
import { findTemporalCli } from '../../temporal/cli-binary.ts';
import { connectTemporal } from '../../temporal/connection.ts';
import { ensureNamespace } from '../../temporal/namespace.ts';
import type { SearchAttributes } from '../../temporal/namespace.ts';
import { productProcesses } from '../processes.ts';
import type { ProcessDefinition } from '../processes.ts';
import { addressesOf } from './addresses.ts';
import type { Addresses } from './addresses.ts';
import { recordProcesses, stopLeftovers } from './leftovers.ts';
import { errorOf, openLogFile } from './log-file.ts';
import type { LogFile } from './log-file.ts';
import { nodeService } from './node-service.ts';
import { settlePorts } from './ports.ts';
import { Supervisor } from './supervisor.ts';
import type { StackFailure } from './supervisor.ts';
import { startDevelopment, startOnPostgres } from './temporal.ts';

/** A configuration whose database and Temporal are known, wherever they run. */
export type RunningConfig = Config & { databaseUrl: string; databaseOwnerUrl: string; temporalAddress: string };

/** What to start and how. */
export interface StackOptions {
  readonly config: Config;
  /** Node programs to run, in the order they are stopped (default: MCP server, API, worker). */
  readonly processes?: (config: RunningConfig) => Promise<readonly ProcessDefinition[]> | readonly ProcessDefinition[];
  readonly searchAttributes?: SearchAttributes;
  /** Folder of the migrations (default: the product's). */
  readonly migrations?: string;
  /** Runs after the migrations and before the processes: the place to seed. */
  readonly prepare?: (config: RunningConfig) => Promise<void>;
  /** Whether one part's unexpected end stops the others (default true). */
  readonly supervise?: boolean;
  readonly say?: (line: string) => void;
  /** Gives up a start that is under way. */
  readonly signal?: AbortSignal;
}

/** Everything running: `postgres`, `temporal` and the Node processes, by name. */
export interface Stack {
  readonly config: RunningConfig;
  readonly addresses: Addresses;
  readonly logFile: string;
  /** Resolves when a part ended unexpectedly and everything else has been stopped. */
  readonly failure: Promise<StackFailure>;
  pid(name: string): number;
  /** Ends one part on purpose (default SIGKILL) and waits for its end. */
  kill(name: string, signal?: NodeJS.Signals): Promise<void>;
  /** Starts a part again on the same ports and data, and waits until it serves. */
  restart(name: string): Promise<void>;
  stop(): Promise<void>;
}

/** Superuser only of the embedded server. */
type DatabaseUrls = Pick<RunningConfig, 'databaseUrl' | 'databaseOwnerUrl'> & { readonly superuserUrl?: string };

const CLUSTER_NEEDS =
  'The layout "cluster" keeps Temporal on the embedded Postgres: unset SWITCHBOARD_DATABASE_URL, or set SWITCHBOARD_TEMPORAL_ADDRESS too.';

interface Setting {
  readonly options: StackOptions;
  readonly say: (line: string) => void;
  readonly log: LogFile;
  readonly supervisor: Supervisor;
}

/** Starts the whole product in order; throws one clear error, with nothing left running, where it cannot. */
export async function startStack(options: StackOptions): Promise<Stack> {
  const say = options.say ?? (() => undefined);
  const { dataDir, shutdownGraceMs: graceMs } = options.config;
  const lock = lockFor(dataDir);
  const log = openLogFile(dataDir);
  const onChange = (running: Parameters<typeof recordProcesses>[1]): void => recordProcesses(dataDir, running);
  const supervisor = new Supervisor({ graceMs, supervise: options.supervise ?? true, say, onChange });
  const stop = async (): Promise<void> => {
    await supervisor.stop();
    log.close();
    lock.release();
  };
  try {
    await stopLeftovers(options.config, say);
    const settled = await settlePorts(options.config);
    const config = await startParts({ options: { ...options, config: settled }, say, log, supervisor });
    return describe(config, supervisor, log, stop);
  } catch (error) {
    await stop();
    throw error;
  }
}

function describe(config: RunningConfig, supervisor: Supervisor, log: LogFile, stop: () => Promise<void>): Stack {
  return {
    config,
    addresses: addressesOf(config),
    logFile: log.path,
    failure: supervisor.failure.then(async (failure) => {
      await stop();
      return failure;
    }),
    pid: (name) => supervisor.pid(name),
    kill: (name, signal) => supervisor.kill(name, signal),
    restart: (name) => supervisor.restart(name),
    stop,
  };
}

async function startParts(setting: Setting): Promise<RunningConfig> {
  const { options, say } = setting;
  const step = async <T>(work: Promise<T>): Promise<T> => abortable(work, options.signal);
  // Found first, since building it the first time takes minutes and must be easy to give up.
  const { temporalAddress: given, layout } = options.config;
  const program = given === undefined && layout === 'single' ? await step(findTemporalCli(say)) : undefined;
  const database = startDatabase(setting);
  const [{ superuserUrl: _, ...urls }, temporalAddress] = await step(
    Promise.all([database, startTemporal(setting, program, database)]),
  );
  const config = { ...options.config, ...urls, temporalAddress };
  await step(prepareTemporal(config, options.searchAttributes ?? {}));
  const applied = await step(migrate(config.databaseOwnerUrl, options.migrations));
  say(applied.length === 0 ? 'database is up to date' : `database: ${String(applied.length)} migrations applied`);
  await step(options.prepare?.(config) ?? Promise.resolve());
  const processes = await step(Promise.resolve((options.processes ?? productProcesses)(config)));
  await step(startProcesses(setting, config, processes));
  return config;
}

async function startDatabase({ options: { config }, say, log, supervisor }: Setting): Promise<DatabaseUrls> {
  const { databaseUrl, databaseOwnerUrl } = config;
  if (databaseUrl !== undefined && databaseOwnerUrl !== undefined) return { databaseUrl, databaseOwnerUrl };
  if (databaseUrl !== undefined || databaseOwnerUrl !== undefined) {
    throw new Error('Set SWITCHBOARD_DATABASE_URL and SWITCHBOARD_DATABASE_OWNER_URL together, or neither.');
  }
  const { dataDir, postgresPort: port } = config;
  const start = () => startEmbeddedPostgres({ dataDir, port, say, onLine: (line) => log.write('postgres', line) });
  const server = await supervisor.start({ name: 'postgres', start });
  say(`Postgres runs on port ${String(server.port)}`);
  return { databaseUrl: server.appUrl, databaseOwnerUrl: server.ownerUrl, superuserUrl: server.superuserUrl };
}

async function startTemporal(
  { options: { config }, say, log, supervisor }: Setting,
  program: string | undefined,
  database: Promise<DatabaseUrls>,
): Promise<string> {
  if (config.temporalAddress !== undefined) return config.temporalAddress;
  const part = { config, say, onLine: (line: string) => log.write('temporal', line) };
  const start = async () => {
    if (config.layout === 'single') return startDevelopment(part, program);
    const { superuserUrl } = await database;
    if (superuserUrl === undefined) throw new Error(CLUSTER_NEEDS);
    return startOnPostgres(part, superuserUrl);
  };
  const server = await supervisor.start({ name: 'temporal', start });
  say(`Temporal runs on port ${String(server.port)}`);
  return server.address;
}

async function prepareTemporal(config: RunningConfig, searchAttributes: SearchAttributes): Promise<void> {
  const { temporalAddress: address, temporalNamespace: namespace } = config;
  const { connection } = await connectTemporal({ address, namespace });
  try {
    await ensureNamespace(connection, namespace, searchAttributes);
  } finally {
    await connection.close();
  }
}

async function startProcesses(
  { say, log, supervisor }: Setting,
  config: RunningConfig,
  processes: readonly ProcessDefinition[],
): Promise<void> {
  const starts = [...processes].reverse().map(async (definition) => {
    const onLine = (line: string): void => {
      log.write(definition.name, line);
      const error = errorOf(line);
      if (error !== undefined) say(`${definition.name}: ${error}`);
    };
    await supervisor.start(nodeService(definition, config, onLine));
    say(`${definition.name} is ready`);
  });
  await Promise.all(starts);
}

function lockFor(dataDir: string): Lock {
  try {
    return acquireLock(path.join(dataDir, 'switchboard.lock'));
  } catch (error) {
    if (!(error instanceof LockHeldError)) throw error;
    const message = `Switchboard already runs with ${dataDir} (process ${String(error.pid)}): stop it, or set SWITCHBOARD_DATA_DIR and other ports.`;
    throw new Error(message, { cause: error });
  }
}

function abortable<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return work;
  return Promise.race([
    work,
    new Promise<never>((_resolve, reject) => {
      const stopped = (): void => reject(new Error('Stopped while starting.'));
      if (signal.aborted) stopped();
      signal.addEventListener('abort', stopped, { once: true });
    }),
  ]);
}
