import path from 'node:path';

import type { Child } from '../../platform/child-process.ts';
import { acquireLock, LockHeldError } from '../../platform/lock-file.ts';
import type { Lock } from '../../platform/lock-file.ts';
import { settlePort } from '../../platform/ports.ts';
import { findBinaries } from './binaries.ts';
import { locateCluster, removeCluster } from './location.ts';
import { createCluster } from './cluster.ts';
import { readCredentials } from './credentials.ts';
import type { Credentials } from './credentials.ts';
import { stopOrphan } from './orphan.ts';
import { startPostmaster } from './postmaster.ts';
import { APP_ROLE, DATABASE, ensureRolesAndDatabase, OWNER_ROLE } from './roles.ts';
import type { Database } from './roles.ts';

/** How to run the embedded server. */
export interface EmbeddedPostgresOptions {
  /** Folder of the project's data; the cluster lives in it, or where the server's user can reach it. */
  readonly dataDir: string;
  /** 0 picks a free port. */
  readonly port: number;
  /** For tests: no waiting for the disk, and `stop` removes the data. */
  readonly ephemeral?: boolean;
  /** Hears one line where something had to be repaired. */
  readonly say?: (line: string) => void;
  /** Hears what the server writes. */
  readonly onLine?: (line: string) => void;
}

/** A running embedded Postgres. */
export interface EmbeddedPostgres extends Database {
  readonly superuserUrl: string;
  readonly port: number;
  readonly pid: number;
  /** Exit code, once the server has ended for whatever reason; null after a signal. */
  readonly exited: Promise<number | null>;
  /** The last lines the server wrote. */
  readonly tail: () => readonly string[];
  stop(graceMs?: number): Promise<void>;
}

/** Starts Postgres in the data folder, with the product's database and roles; answers once it can be used. */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const lock = lockFor(options.dataDir);
  try {
    return await start(options, lock);
  } catch (error) {
    if (options.ephemeral === true) removeCluster(options.dataDir);
    lock.release();
    throw error;
  }
}

/** Stops a server of this data folder that outlived its process; answers whether there was one. */
export async function stopOrphanPostgres(dataDir: string): Promise<boolean> {
  return (await stopOrphan(locateCluster(dataDir).cluster)) !== undefined;
}

async function start(options: EmbeddedPostgresOptions, lock: Lock): Promise<EmbeddedPostgres> {
  const { cluster, user } = locateCluster(options.dataDir);
  const binaries = await findBinaries(user);
  const credentials = readCredentials(options.dataDir);
  const orphan = await stopOrphan(cluster);
  if (orphan !== undefined) options.say?.(`stopped Postgres left by an earlier run (process ${String(orphan)})`);
  await createCluster(cluster, { binaries, user, password: credentials.superuser });
  const port = await settlePort(options.port, { what: 'Postgres', variable: 'SWITCHBOARD_POSTGRES_PORT' });
  const urls = urlsOf(port, credentials);
  const durable = options.ephemeral !== true;
  const child = await startPostmaster({
    binaries,
    user,
    cluster,
    port,
    durable,
    superuserUrl: urls.superuserUrl,
    onLine: options.onLine,
  });
  try {
    await ensureRolesAndDatabase(urls.superuserUrl, credentials);
  } catch (error) {
    await child.stop(10_000, 'SIGINT');
    throw error;
  }
  return describe(options, { child, lock, port, urls });
}

function describe(
  options: EmbeddedPostgresOptions,
  { child, lock, port, urls }: { child: Child; lock: Lock; port: number; urls: ReturnType<typeof urlsOf> },
): EmbeddedPostgres {
  const exited = child.exited.then(({ code }) => {
    lock.release();
    return code;
  });
  return {
    ...urls,
    port,
    pid: child.pid,
    exited,
    tail: child.tail,
    async stop(graceMs = 15_000) {
      // SIGINT is the fast shutdown: open transactions are rolled back, what was committed is kept.
      await child.stop(graceMs, 'SIGINT');
      await exited;
      if (options.ephemeral === true) removeCluster(options.dataDir);
    },
  };
}

function lockFor(dataDir: string): Lock {
  try {
    return acquireLock(path.join(dataDir, 'postgres.lock'));
  } catch (error) {
    if (!(error instanceof LockHeldError)) throw error;
    throw new Error(
      `The database in ${dataDir} is in use by process ${String(error.pid)}: stop it or set SWITCHBOARD_DATA_DIR to another folder.`,
      { cause: error },
    );
  }
}

function urlsOf(port: number, { superuser, owner, app }: Credentials): Database & { superuserUrl: string } {
  const url = (role: string, password: string, database: string): string =>
    `postgres://${role}:${password}@127.0.0.1:${String(port)}/${database}`;
  return {
    superuserUrl: url('postgres', superuser, 'postgres'),
    ownerUrl: url(OWNER_ROLE, owner, DATABASE),
    appUrl: url(APP_ROLE, app, DATABASE),
  };
}
