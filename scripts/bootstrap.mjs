// Runs a script of this project under its own Node, installing the dependencies first where they are missing or old:
//   node scripts/bootstrap.mjs cli/main.ts start
// It needs nothing but Node 18 and npm; standard output belongs to the script alone.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

const OLDEST_NODE = 18;
const SIGN_OF_LIFE_MS = 10_000;
const LOCK_WITHOUT_HOLDER_MS = 10_000;
const STAMP = '.switchboard-installed';

/** One line why this machine's Node cannot even install the right one; undefined where it can. */
export function nodeFault(version) {
  const major = Number(version.replace(/^v/, '').split('.')[0]);
  return major >= OLDEST_NODE
    ? undefined
    : `Node ${version} is too old: install Node ${OLDEST_NODE} or newer (https://nodejs.org).`;
}

/** What an installation is made from: the lock file and the platform its binaries are for. */
export function installationStamp(lockText) {
  const digest = createHash('sha256').update(lockText).digest('hex');
  return `${digest} ${process.platform}-${process.arch}\n`;
}

/** Whether what npm says it installed (its hidden lock file) is what the lock file asks for. */
export function sameInstallation(lock, installed) {
  const have = installed.packages ?? {};
  for (const [location, wanted] of Object.entries(lock.packages ?? {})) {
    if (location === '') continue;
    const found = have[location];
    // Packages for other platforms, and those only developers need, may be left out.
    if (found === undefined && (wanted.optional || wanted.devOptional || wanted.dev || wanted.peer)) continue;
    if (found === undefined || found.version !== wanted.version || found.integrity !== wanted.integrity) return false;
  }
  return Object.keys(have).every((location) => location in lock.packages);
}

/** Whether node_modules is complete and belongs to the present lock file. */
export function isInstalled(root) {
  const modules = path.join(root, 'node_modules');
  const lockText = readFileSync(path.join(root, 'package-lock.json'), 'utf8');
  const stamp = installationStamp(lockText);
  if (readText(path.join(modules, STAMP)) === stamp) return true;
  const hidden = readText(path.join(modules, '.package-lock.json'));
  if (hidden === undefined || !projectNode(root) || !sameInstallation(JSON.parse(lockText), JSON.parse(hidden)))
    return false;
  writeStamp(modules, stamp);
  return true;
}

/** Waits for the lock folder, which says which process installs; answers a function that gives it back. */
export async function takeLock(folder, say, pollMs = 250) {
  mkdirSync(path.dirname(folder), { recursive: true });
  let told = false;
  for (;;) {
    try {
      mkdirSync(folder);
      writeFileSync(path.join(folder, 'pid'), String(process.pid));
      return () => rmSync(folder, { recursive: true, force: true });
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
    }
    const holder = readText(path.join(folder, 'pid'));
    if (isStale(folder, holder)) {
      setAside(folder, holder);
      continue;
    }
    if (!told) say(`waiting for process ${holder ?? '?'}, which is installing the dependencies`);
    told = true;
    await new Promise((resolve) => setTimeout(resolve, pollMs));
  }
}

function isStale(folder, holder) {
  if (holder === undefined || holder === '') {
    const stats = statSync(folder, { throwIfNoEntry: false });
    return stats !== undefined && Date.now() - stats.mtimeMs > LOCK_WITHOUT_HOLDER_MS;
  }
  try {
    process.kill(Number(holder), 0);
    return false;
  } catch (error) {
    return error.code === 'ESRCH';
  }
}

/** Of several that find the lock stale, the first moves it away; one that moved a newer lock gives it back. */
function setAside(folder, holder) {
  const aside = `${folder}.stale-${process.pid}`;
  try {
    renameSync(folder, aside);
    if (readText(path.join(aside, 'pid')) !== holder) renameSync(aside, folder);
  } catch (error) {
    if (!['ENOENT', 'ENOTEMPTY', 'EEXIST'].includes(error.code)) throw error;
  }
  rmSync(aside, { recursive: true, force: true });
}

function readText(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}

function writeStamp(modules, stamp) {
  try {
    writeFileSync(path.join(modules, STAMP), stamp);
  } catch {
    // A read-only installation is compared anew each time.
  }
}

/** The Node that came with the dependencies; this one where it is at least as new and the other is missing. */
function projectNode(root) {
  const program = process.platform === 'win32' ? 'node_modules/node/bin/node.exe' : 'node_modules/.bin/node';
  const own = path.join(root, program);
  if (existsSync(own)) return own;
  return Number(process.versions.node.split('.')[0]) >= 24 ? process.execPath : undefined;
}

async function install(root, say) {
  const release = await takeLock(path.join(root, '.data', 'install.lock'), say);
  try {
    if (isInstalled(root)) return;
    say('installing the dependencies (once, about a minute)');
    const started = Date.now();
    const sign = setInterval(() => say(`… ${Math.round((Date.now() - started) / 1000)} s`), SIGN_OF_LIFE_MS);
    const code = await runNpm(root).finally(() => clearInterval(sign));
    if (code !== 0) throw new Error('npm ci failed (its reason is above); nothing was started.');
    const lockText = readFileSync(path.join(root, 'package-lock.json'), 'utf8');
    writeStamp(path.join(root, 'node_modules'), installationStamp(lockText));
    say(`dependencies installed in ${Math.round((Date.now() - started) / 1000)} s`);
  } finally {
    release();
  }
}

function runNpm(root) {
  const npm = process.env.npm_execpath?.endsWith('npm-cli.js') ? [process.execPath, process.env.npm_execpath] : ['npm'];
  const args = ['ci', '--no-audit', '--no-fund', '--loglevel=error'];
  const env = { ...process.env, SCARF_ANALYTICS: 'false' };
  return new Promise((resolve, reject) => {
    const child = spawn(npm[0], [...npm.slice(1), ...args], {
      cwd: root,
      env,
      stdio: ['ignore', 2, 2],
      shell: process.platform === 'win32' && npm[0] === 'npm',
    });
    const stop = (signal) => child.kill(signal);
    for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, stop);
    child.once('error', () => reject(new Error('npm is missing: install it with Node (https://nodejs.org).')));
    child.once('exit', (code, signal) => resolve(signal === null ? code : 1));
  });
}

/** Runs the script and answers its exit code; signals go on to it, and it hears when this process dies. */
function runScript(root, [script, ...args]) {
  const node = projectNode(root);
  if (node === undefined)
    throw new Error('The Node of this project is missing: run "npm ci" without --ignore-scripts.');
  const bin = path.join(root, 'node_modules', '.bin');
  const env = { ...process.env, PATH: `${bin}${path.delimiter}${process.env.PATH ?? ''}`, SCARF_ANALYTICS: 'false' };
  const child = spawn(node, [path.resolve(root, script), ...args], {
    env,
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
  });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) =>
      resolve(code ?? 128 + (signal === 'SIGINT' ? 2 : signal === 'SIGKILL' ? 9 : 15)),
    );
  });
}

async function main(args) {
  const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
  const say = (line) => process.stderr.write(`${line}\n`);
  try {
    const fault = nodeFault(process.version);
    if (fault !== undefined) throw new Error(fault);
    if (args.length === 0) throw new Error('usage: node scripts/bootstrap.mjs <script> [arguments]');
    if (!isInstalled(root)) await install(root, say);
    process.exit(await runScript(root, args));
  } catch (error) {
    say(error.message);
    process.exit(1);
  }
}

// Imported by tests for its parts; run only as a program.
if (process.argv[1] !== undefined && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  await main(process.argv.slice(2));
}
