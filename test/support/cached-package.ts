import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** A program that tests use but the product does not depend on. */
export interface CachedPackage {
  /** Folder name in the cache, e.g. goose-1.52.0. */
  readonly folder: string;
  /** Exact npm name and version. */
  readonly spec: string;
  /** The file to run, from the folder. */
  readonly file: string;
}

/** Path of the program, fetched once into the user's cache; or why it cannot be had. */
export async function cachedPackage({
  folder,
  spec,
  file,
}: CachedPackage): Promise<{ file: string } | { missing: string }> {
  const home = path.join(process.env['XDG_CACHE_HOME'] ?? path.join(os.homedir(), '.cache'), 'switchboard', folder);
  const wanted = path.join(home, file);
  if (existsSync(wanted)) return { file: wanted };
  try {
    await mkdir(home, { recursive: true });
    const args = ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--prefix', home, spec];
    await run('npm', args, { timeout: 300_000 });
  } catch {
    return { missing: `npm cannot fetch ${spec}` };
  }
  return existsSync(wanted) ? { file: wanted } : { missing: `${spec} has no ${file}` };
}
