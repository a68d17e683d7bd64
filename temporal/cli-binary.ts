import { accessSync, constants, existsSync, mkdirSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { acquireLock, LockHeldError } from '../platform/lock-file.ts';
import type { Lock } from '../platform/lock-file.ts';
import { buildCli, downloadCli } from './cli-install.ts';

/** The release of the Temporal CLI that is installed where there is none. */
export const CLI_VERSION = 'v1.5.1';

/** Tells the user what takes long. */
export type Say = (line: string) => void;

/**
 * The Temporal CLI: TEMPORAL_CLI_PATH, `temporal` on the path, the cache folder, the SDK's download, or built with Go;
 * the last two once. Throws one line that says what to install when none is possible.
 */
export async function findTemporalCli(
  say: Say = () => undefined,
  env: NodeJS.ProcessEnv = process.env,
): Promise<string> {
  const named = env['TEMPORAL_CLI_PATH'];
  if (named !== undefined && named !== '') {
    if (isExecutable(named)) return path.resolve(named);
    throw new Error(`TEMPORAL_CLI_PATH names ${named}, which is no program that can be run.`);
  }
  const cached = path.join(cacheFolder(env), 'temporal');
  return onPath('temporal', env) ?? (isExecutable(cached) ? cached : install(cached, say, env));
}

/** The folder an installed CLI is kept in, for all checkouts of this user. */
export function cacheFolder(env: NodeJS.ProcessEnv = process.env): string {
  const base = env['XDG_CACHE_HOME'];
  return path.join(
    base !== undefined && base !== '' ? base : path.join(os.homedir(), '.cache'),
    'switchboard',
    `temporal-${CLI_VERSION}`,
  );
}

/** The program of this name on the search path. */
export function onPath(program: string, env: NodeJS.ProcessEnv = process.env): string | undefined {
  const folders = (env['PATH'] ?? '').split(path.delimiter).filter((folder) => folder !== '');
  const names = process.platform === 'win32' ? [`${program}.exe`] : [program];
  return folders.flatMap((folder) => names.map((name) => path.join(folder, name))).find(isExecutable);
}

/** One process installs, the others wait for it. */
async function install(target: string, say: Say, env: NodeJS.ProcessEnv): Promise<string> {
  mkdirSync(path.dirname(target), { recursive: true });
  const lock = await waitForLock(`${target}.lock`, say);
  try {
    if (existsSync(target)) return target;
    if ((await downloadCli(target, say)) || (await buildCli(target, say, onPath('go', env)))) return target;
  } finally {
    lock.release();
  }
  throw new Error(
    'Temporal is missing: install its CLI (https://docs.temporal.io/cli) or Go, or set TEMPORAL_CLI_PATH, or SWITCHBOARD_TEMPORAL_ADDRESS to a server.',
  );
}

async function waitForLock(file: string, say: Say): Promise<Lock> {
  for (let waited = 0; ; waited += 1) {
    try {
      return acquireLock(file);
    } catch (error) {
      if (!(error instanceof LockHeldError)) throw error;
      if (waited % 20 === 0) say(`waiting for process ${String(error.pid)}, which is installing the Temporal CLI`);
      await sleep(500);
    }
  }
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
