import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';

import { startChild } from '../../platform/child-process.ts';
import type { Child } from '../../platform/child-process.ts';
import type { Binaries } from './binaries.ts';
import { serverEnvironment } from './cluster.ts';
import type { RunUser } from './run-user.ts';

/** What the server process is started with. */
export interface PostmasterOptions {
  readonly binaries: Binaries;
  readonly user: RunUser | undefined;
  readonly cluster: string;
  readonly port: number;
  readonly superuserUrl: string;
  /** Writes reach the disk before they count; off only for databases of a test. */
  readonly durable: boolean;
  readonly onLine?: ((line: string) => void) | undefined;
}

const READY_WITHIN_MS = 60_000;
const RETRY_WITHIN_MS = 10_000;
/** For this long a refused password may come from another server that our own finds on its port and gives way to. */
const REFUSED_FOR_MS = 5000;
const FOREIGN_PASSWORD =
  'Postgres refuses the password in postgres-credentials.json: restore that file, or remove the whole data folder to start anew.';

/** Starts the server and waits until it answers. */
export async function startPostmaster(options: PostmasterOptions): Promise<Child> {
  const giveUp = Date.now() + RETRY_WITHIN_MS;
  for (;;) {
    const child = await startChild({
      name: 'postgres',
      command: options.binaries.postgres,
      args: serverArguments(options),
      env: serverEnvironment(),
      cwd: options.cluster,
      user: options.user,
      onLine: options.onLine,
    });
    if (await answers(child, options.superuserUrl)) return child;
    // After a kill -9 the old server's own children take a moment to notice and to let go of the memory.
    const report = child.tail().join('\n');
    if (!/pre-existing shared memory block/.test(report) || Date.now() > giveUp) throw startFailure(options, report);
    await sleep(200);
  }
}

function serverArguments({ cluster, port, durable }: PostmasterOptions): string[] {
  const settings = [
    'listen_addresses=127.0.0.1',
    'unix_socket_directories=',
    'max_connections=200',
    'timezone=UTC',
    'log_timezone=UTC',
    ...(durable ? [] : ['fsync=off', 'synchronous_commit=off', 'full_page_writes=off']),
  ];
  return ['-D', cluster, '-p', String(port), ...settings.flatMap((setting) => ['-c', setting])];
}

async function answers(child: Child, url: string): Promise<boolean> {
  const state = { ended: false };
  void child.exited.then(() => (state.ended = true));
  const deadline = Date.now() + READY_WITHIN_MS;
  while (!hasEnded(state)) {
    const answer = await tryConnect(url);
    if (answer === 'yes') return true;
    if (Date.now() > deadline || (answer === 'refused' && Date.now() > deadline - READY_WITHIN_MS + REFUSED_FOR_MS)) {
      await child.stop(5000, 'SIGQUIT');
      throw new Error(
        answer === 'refused' ? FOREIGN_PASSWORD : `Postgres does not answer:\n${child.tail().slice(-5).join('\n')}`,
      );
    }
    await sleep(25);
  }
  return false;
}

// A function, since the compiler does not see that the flag changes while the loop waits.
const hasEnded = (state: { ended: boolean }): boolean => state.ended;

async function tryConnect(url: string): Promise<'yes' | 'no' | 'refused'> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5000 });
  client.on('error', () => undefined);
  try {
    await client.connect();
    return 'yes';
  } catch (error) {
    return (error as { code?: string }).code === '28P01' ? 'refused' : 'no';
  } finally {
    await client.end().catch(() => undefined);
  }
}

function startFailure({ cluster, port }: PostmasterOptions, report: string): Error {
  if (/Address already in use|could not bind/.test(report)) {
    return new Error(
      `Port ${String(port)} (Postgres) is in use: free it or set SWITCHBOARD_POSTGRES_PORT (0 picks a free one).`,
    );
  }
  return new Error(`Postgres did not start in ${cluster}:\n${report.split('\n').slice(-5).join('\n')}`);
}
