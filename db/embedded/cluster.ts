import { chownSync, existsSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';

import { startChild } from '../../platform/child-process.ts';
import type { Binaries } from './binaries.ts';
import type { RunUser } from './run-user.ts';

/** What the server's programs see of the environment: nothing that could change what they do. */
export const serverEnvironment = (): Record<string, string> => ({
  PATH: process.env['PATH'] ?? '/usr/bin:/bin',
  LC_ALL: 'C',
  TZ: 'UTC',
});

/** Makes the cluster where there is none yet; an interrupted attempt leaves nothing that looks like one. */
export async function createCluster(
  folder: string,
  { binaries, user, password }: { binaries: Binaries; user: RunUser | undefined; password: string },
): Promise<void> {
  if (existsSync(path.join(folder, 'PG_VERSION'))) return;
  const draft = `${folder}.new`;
  const passwordFile = `${folder}.password`;
  rmSync(draft, { recursive: true, force: true });
  writeFileSync(passwordFile, `${password}\n`, { mode: 0o600 });
  if (user !== undefined) chownSync(passwordFile, user.uid, user.gid);
  try {
    await initdb(draft, passwordFile, binaries, user);
    renameSync(draft, folder);
  } finally {
    rmSync(passwordFile, { force: true });
    rmSync(draft, { recursive: true, force: true });
  }
}

async function initdb(
  folder: string,
  passwordFile: string,
  binaries: Binaries,
  user: RunUser | undefined,
): Promise<void> {
  const child = await startChild({
    name: 'initdb',
    command: binaries.initdb,
    args: [
      '-D',
      folder,
      '-U',
      'postgres',
      '--auth=scram-sha-256',
      `--pwfile=${passwordFile}`,
      '--encoding=UTF8',
      '--locale=C',
      '--no-instructions',
    ],
    env: serverEnvironment(),
    cwd: path.dirname(folder),
    user,
  });
  const { code } = await child.exited;
  if (code !== 0)
    throw new Error(`The database could not be created in ${folder}:\n${child.tail().slice(-5).join('\n')}`);
}
