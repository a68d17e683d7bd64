import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import test from 'ava';

import { installationStamp, isInstalled, nodeFault, sameInstallation, takeLock } from '../../../scripts/bootstrap.mjs';

function folder(t: { teardown: (fn: () => void) => void }): string {
  const created = mkdtempSync(path.join(os.tmpdir(), 'switchboard-bootstrap-'));
  t.teardown(() => rmSync(created, { recursive: true, force: true }));
  return created;
}

const lock = {
  packages: {
    '': {},
    'node_modules/a': { version: '1.0.0', integrity: 'x' },
    'node_modules/tool': { version: '1.0.0', dev: true },
    'node_modules/other-os': { version: '1.0.0', optional: true },
  },
};

test('OPS-1: a machine whose Node is too old gets one line that says so', (t) => {
  t.regex(nodeFault('v16.20.0') ?? '', /too old: install Node 18/);
  t.is(nodeFault('v18.0.0'), undefined);
  t.is(nodeFault('v24.1.0'), undefined);
});

test('OPS-1: an installation made by hand counts when it matches the lock file', (t) => {
  const a = { version: '1.0.0', integrity: 'x' };
  t.true(sameInstallation(lock, { packages: { 'node_modules/a': a } }));
  t.false(sameInstallation(lock, { packages: { 'node_modules/a': { ...a, version: '1.0.1' } } }));
  t.false(sameInstallation(lock, { packages: {} }));
  t.false(sameInstallation(lock, { packages: { 'node_modules/a': a, 'node_modules/stray': a } }));
});

test('OPS-1: node_modules of another lock file is installed again', (t) => {
  const root = folder(t);
  writeFileSync(path.join(root, 'package-lock.json'), JSON.stringify(lock));
  t.false(isInstalled(root));
  mkdirSync(path.join(root, 'node_modules'));
  writeFileSync(path.join(root, 'node_modules', '.switchboard-installed'), installationStamp(JSON.stringify(lock)));
  t.true(isInstalled(root));
  writeFileSync(path.join(root, 'package-lock.json'), JSON.stringify({ packages: {} }) + '\n');
  t.false(isInstalled(root));
});

test('OPS-1: of several at once one installs and the others wait', async (t) => {
  const place = path.join(folder(t), 'deep', 'install.lock');
  let inside = 0;
  let most = 0;
  const one = async (): Promise<void> => {
    const release = await takeLock(place, () => undefined, 5);
    most = Math.max(most, (inside += 1));
    await new Promise((resolve) => setTimeout(resolve, 20));
    inside -= 1;
    release();
  };
  await Promise.all([one(), one(), one(), one()]);
  t.is(most, 1);
});

test('OPS-1: a lock left by a process that has ended is taken over', async (t) => {
  const place = path.join(folder(t), 'install.lock');
  mkdirSync(place);
  writeFileSync(path.join(place, 'pid'), '999999999');
  const release = await takeLock(place, () => undefined, 5);
  release();
  t.pass();
});
