import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Path of a Python program in an environment of its own, made once in the user's cache; or why it cannot be had. */
export async function pythonPackage(name: string, version: string): Promise<{ file: string } | { missing: string }> {
  const cache = path.join(process.env['XDG_CACHE_HOME'] ?? path.join(os.homedir(), '.cache'), 'switchboard');
  const home = path.join(cache, `${name}-${version}`);
  const file = path.join(home, 'bin', name);
  // Written last: an installation that broke off is made anew.
  const whole = path.join(home, 'complete');
  if (existsSync(whole)) return { file };
  await rm(home, { recursive: true, force: true });
  await mkdir(cache, { recursive: true });
  try {
    await run('python3', ['-m', 'venv', home], { timeout: 120_000 });
  } catch {
    return { missing: 'there is no python3 with venv' };
  }
  try {
    const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', `${name}==${version}`];
    await run(path.join(home, 'bin', 'python'), pip, { timeout: 300_000 });
    await mkdir(whole);
  } catch {
    return { missing: `pip cannot install ${name} ${version}` };
  }
  return { file };
}
