import { spawnSync } from 'node:child_process';
import { chownSync, mkdirSync, readFileSync, statSync } from 'node:fs';

/** The operating system user Postgres runs as, where it is not the one of this process. */
export interface RunUser {
  readonly uid: number;
  readonly gid: number;
}

/** Postgres refuses to run as root: then it runs as `postgres` or `nobody`; otherwise as this process (undefined). */
export function unprivilegedUser(passwd = '/etc/passwd'): RunUser | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const lines = readFileSync(passwd, 'utf8').split('\n');
  for (const name of ['postgres', 'nobody']) {
    const fields = lines.find((line) => line.startsWith(`${name}:`))?.split(':');
    if (fields !== undefined) return { uid: Number(fields[2]), gid: Number(fields[3]) };
  }
  throw new Error('Postgres does not run as root and there is no user "postgres" or "nobody": run as another user.');
}

/** The user who must run a server over this folder: root takes its owner, others must own it. */
export function ownerOf(folder: string): RunUser | undefined {
  const { uid, gid } = statSync(folder);
  const self = process.getuid?.();
  if (self === undefined || self === uid) return self === 0 ? unprivilegedUser() : undefined;
  if (self === 0) return { uid, gid };
  throw new Error(
    `The database in ${folder} was made by another user (${String(uid)}): run as that user, or set SWITCHBOARD_DATA_DIR.`,
  );
}

/** Makes a folder that only the user may enter (this process's own user when undefined). */
export function makePrivateFolder(folder: string, user: RunUser | undefined): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  if (user !== undefined) chownSync(folder, user.uid, user.gid);
}

/** Whether the user can run this program; root's own folders (0700) may be closed to it. */
export function canExecute(program: string, user: RunUser | undefined): boolean {
  return spawnSync(program, ['--version'], { ...user, cwd: '/', stdio: 'ignore' }).status === 0;
}

/** Whether the user can enter this folder and write in it. */
export function canWrite(folder: string, user: RunUser | undefined): boolean {
  const probe = 'cd "$1" && : > .probe && rm .probe';
  return spawnSync('/bin/sh', ['-c', probe, 'sh', folder], { ...user, cwd: '/', stdio: 'ignore' }).status === 0;
}
