import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const VERSION = '26.7.3';
const ARTIFACT = 'org.keycloak:keycloak-quarkus-dist';

const cacheFolder = (): string =>
  path.join(process.env['XDG_CACHE_HOME'] ?? path.join(os.homedir(), '.cache'), 'switchboard');

/** Folder of Keycloak's public distribution, fetched from Maven once into the user's cache; or why it cannot be had. */
export async function keycloakFolder(): Promise<{ readonly folder: string } | { readonly missing: string }> {
  if (!(await works('java', '-version'))) return { missing: 'there is no Java' };
  const home = path.join(cacheFolder(), `keycloak-${VERSION}`);
  const folder = path.join(home, `keycloak-${VERSION}`);
  // Written last: an installation that broke off is made anew.
  const whole = path.join(home, 'complete');
  if (existsSync(whole)) return { folder };
  if (!(await works('mvn', '-version'))) return { missing: 'there is no Maven to fetch Keycloak with' };
  await rm(home, { recursive: true, force: true });
  await mkdir(home, { recursive: true });
  try {
    const get = `org.apache.maven.plugins:maven-dependency-plugin:copy`;
    const what = [`-Dartifact=${ARTIFACT}:${VERSION}:tar.gz`, `-DoutputDirectory=${home}`];
    await run('mvn', ['-B', '-q', get, ...what], { cwd: home, timeout: 300_000 });
    await run('tar', ['xzf', path.join(home, `keycloak-quarkus-dist-${VERSION}.tar.gz`), '-C', home]);
    await rm(path.join(home, `keycloak-quarkus-dist-${VERSION}.tar.gz`));
    await mkdir(whole);
  } catch {
    return { missing: `Maven cannot fetch ${ARTIFACT} ${VERSION}` };
  }
  return { folder };
}

async function works(program: string, argument: string): Promise<boolean> {
  try {
    await run(program, [argument]);
    return true;
  } catch {
    return false;
  }
}
