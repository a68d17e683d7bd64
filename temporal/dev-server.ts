import { chmodSync, existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';

import { startChild } from '../platform/child-process.ts';
import type { Child } from '../platform/child-process.ts';
import { readIfPresent } from '../platform/files.ts';
import { settlePort } from '../platform/ports.ts';
import { commandLine, isAlive } from '../platform/process-info.ts';
import { stopProcess } from '../platform/stop-process.ts';
import { findTemporalCli } from './cli-binary.ts';
import { connectTemporal } from './connection.ts';

/** How to run the development server. */
export interface DevServerOptions {
  /** Folder of the server's database; undefined: a temporary one that `stop` removes. */
  readonly folder?: string;
  /** 0 picks a free port. */
  readonly port: number;
  readonly uiPort: number;
  /** Where the Web UI has encrypted payloads decoded; it adds `/decode`. */
  readonly codecEndpoint?: string;
  readonly namespace: string;
  /** Settings of the server (its dynamic configuration), by name. */
  readonly settings?: Readonly<Record<string, string>>;
  /** The Temporal CLI, where the caller has found it already. */
  readonly program?: string;
  readonly say?: (line: string) => void;
  readonly onLine?: (line: string) => void;
}

/** A running Temporal development server. */
export interface DevServer {
  /** host:port of the service. */
  readonly address: string;
  readonly port: number;
  readonly uiPort: number;
  readonly pid: number;
  readonly exited: Promise<number | null>;
  readonly tail: () => readonly string[];
  stop(graceMs?: number): Promise<void>;
}

const READY_WITHIN_MS = 60_000;

/** Starts the server, keeping its state in the folder; answers once its namespace can be used. */
export async function startDevServer(options: DevServerOptions): Promise<DevServer> {
  const say = options.say ?? (() => undefined);
  const program = options.program ?? (await findTemporalCli(say));
  const folder = options.folder ?? mkdtempSync(path.join(os.tmpdir(), 'switchboard-temporal-'));
  if (options.folder !== undefined && (await stopOrphanDevServer(folder)))
    say('stopped Temporal left by an earlier run');
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const port = await settlePort(options.port, { what: 'Temporal', variable: 'SWITCHBOARD_TEMPORAL_PORT' });
  const uiPort = await settlePort(options.uiPort, {
    what: 'Temporal Web UI',
    variable: 'SWITCHBOARD_TEMPORAL_UI_PORT',
  });
  const database = databaseIn(folder);
  const child = await startChild({
    name: 'temporal',
    command: program,
    args: [
      ...serverArguments({ database, port, uiPort, namespace: options.namespace }),
      ...Object.entries(options.settings ?? {}).flatMap(([name, value]) => [
        '--dynamic-config-value',
        `${name}=${value}`,
      ]),
      ...(options.codecEndpoint === undefined ? [] : ['--ui-codec-endpoint', options.codecEndpoint]),
    ],
    env: { PATH: process.env['PATH'] ?? '', HOME: folder, TMPDIR: os.tmpdir() },
    cwd: folder,
    onLine: options.onLine,
  });
  writeFileSync(pidFile(folder), String(child.pid));
  await awaitNamespace(child, `127.0.0.1:${String(port)}`, options.namespace);
  if (existsSync(database)) chmodSync(database, 0o600);
  return describe(child, { folder, port, uiPort, ephemeral: options.folder === undefined });
}

/** Stops a server over this folder that outlived its process; answers whether there was one. */
export async function stopOrphanDevServer(folder: string): Promise<boolean> {
  const pid = Number(readIfPresent(pidFile(folder)));
  if (!Number.isInteger(pid) || pid <= 0) return false;
  // Another program may run under that number by now: only one that names our database is the server.
  const ours = isAlive(pid) && commandLine(pid)?.includes(databaseIn(folder)) === true;
  if (ours) {
    await stopProcess(pid, [
      ['SIGTERM', 10_000],
      ['SIGKILL', 5000],
    ]);
  }
  rmSync(pidFile(folder), { force: true });
  return ours;
}

const databaseIn = (folder: string): string =>
  path.join(existsSync(folder) ? realpathSync(folder) : folder, 'temporal.db');
const pidFile = (folder: string): string => path.join(folder, 'temporal.pid');

function serverArguments(values: { database: string; port: number; uiPort: number; namespace: string }): string[] {
  return [
    ...['server', 'start-dev', '--ip', '127.0.0.1', '--log-level', 'error', '--disable-config-file'],
    ...['--db-filename', values.database, '--port', String(values.port), '--ui-port', String(values.uiPort)],
    ...['--namespace', values.namespace],
    // About twice the throughput of the default; a killed process loses nothing.
    ...['--sqlite-pragma', 'journal_mode=wal', '--sqlite-pragma', 'synchronous=normal'],
  ];
}

/** Waits until the namespace can be used; stops the server and throws with its last words where it cannot. */
export async function awaitNamespace(child: Child, address: string, namespace: string): Promise<void> {
  const failed = child.exited.then(() => {
    throw new Error(`Temporal did not start: ${lastWords(child)}`);
  });
  try {
    await Promise.race([failed, describesNamespace(address, namespace)]);
  } catch (error) {
    await child.stop(5000);
    throw error;
  }
}

const lastWords = (child: Child): string =>
  child
    .tail()
    .slice(-5)
    .map((line) => line.slice(0, 300))
    .join('\n');

async function describesNamespace(address: string, namespace: string): Promise<void> {
  const { connection } = await connectTemporal({ address, namespace, waitMs: READY_WITHIN_MS });
  try {
    await connection.workflowService.describeNamespace({ namespace });
  } finally {
    await connection.close();
  }
}

function describe(
  child: Child,
  { folder, port, uiPort, ephemeral }: { folder: string; port: number; uiPort: number; ephemeral: boolean },
): DevServer {
  return {
    address: `127.0.0.1:${String(port)}`,
    port,
    uiPort,
    pid: child.pid,
    exited: child.exited.then(({ code }) => code),
    tail: child.tail,
    async stop(graceMs = 15_000) {
      await child.stop(graceMs);
      rmSync(pidFile(folder), { force: true });
      if (ephemeral) rmSync(folder, { recursive: true, force: true });
    },
  };
}
