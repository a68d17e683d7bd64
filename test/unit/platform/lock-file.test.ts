import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import test from 'ava';

import { acquireLock, LockHeldError } from '../../../platform/lock-file.ts';

function lockPath(t: { teardown: (fn: () => void) => void }): string {
  const created = mkdtempSync(path.join(os.tmpdir(), 'switchboard-lock-'));
  t.teardown(() => rmSync(created, { recursive: true, force: true }));
  return path.join(created, 'a.lock');
}

test('OPS-1: a lock is held once and can be taken again after its release', (t) => {
  const file = lockPath(t);
  const lock = acquireLock(file);
  const error = t.throws(() => acquireLock(file), { instanceOf: LockHeldError });
  t.is(error.pid, process.pid);
  lock.release();
  const again = acquireLock(file);
  t.false(again.recovered);
  again.release();
});

test('OPS-5: a lock whose holder is gone, was another process of that id, or is damaged is taken over', (t) => {
  const file = lockPath(t);
  const stale = [{ pid: 999_999_999, identity: '1' }, { pid: process.pid, identity: 'earlier' }, 'damaged'];
  for (const content of stale) {
    writeFileSync(file, JSON.stringify(content));
    const lock = acquireLock(file);
    t.true(lock.recovered);
    lock.release();
  }
});

test('OPS-5: releasing takes no lock away that somebody else holds by now', (t) => {
  const file = lockPath(t);
  const lock = acquireLock(file);
  writeFileSync(file, 'another');
  lock.release();
  t.is(readFileSync(file, 'utf8'), 'another');
});
