import { accessSync, constants } from 'node:fs';
import os from 'node:os';
import path from 'node:path';

import { buildCli, downloadCli } from './cli-install.ts';
import { installOnce } from './install.ts';
import type { Say } from './install.ts';

/** The release of the Temporal CLI that is installed where there is none. */
export const CLI_VERSION = 'v1.5.1';

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

/** The folder an installed program is kept in, for all checkouts of this user. */
export function cacheFolder(env: NodeJS.ProcessEnv = process.env, program = `temporal-${CLI_VERSION}`): string {
  const base = env['XDG_CACHE_HOME'];
  return path.join(
    base !== undefined && base !== '' ? base : path.join(os.homedir(), '.cache'),
    'switchboard',
    program,
  );
}

/** The program of this name on the search path. */
export function onPath(program: string, env: NodeJS.ProcessEnv = process.env): string | undefined {
  const folders = (env['PATH'] ?? '').split(path.delimiter).filter((folder) => folder !== '');
  const names = process.platform === 'win32' ? [`${program}.exe`] : [program];
  return folders.flatMap((folder) => names.map((name) => path.join(folder, name))).find(isExecutable);
}

async function install(target: string, say: Say, env: NodeJS.ProcessEnv): Promise<string> {
  const make = async (): Promise<boolean> =>
    (await downloadCli(target, say)) || (await buildCli(target, say, onPath('go', env)));
  if (await installOnce(target, make, say)) return target;
  throw new Error(
    'Temporal is missing: install its CLI (https://docs.temporal.io/cli) or Go, or set TEMPORAL_CLI_PATH, or SWITCHBOARD_TEMPORAL_ADDRESS to a server.',
  );
}

/** Whether this is a program that we may run. */
export function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
