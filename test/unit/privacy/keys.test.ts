import { chmodSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import test from 'ava';

import { loadMasterKey, tenantKeys } from '../../../privacy/keys.ts';
import { seal, unseal } from '../../../privacy/sealing.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'switchboard-keys-'));
test.after.always(() => {
  rmSync(folder, { recursive: true });
});

test('GUARD-4: the first start makes a private master key, later ones read it', (t) => {
  const file = path.join(folder, 'new', 'master.key');
  const made = loadMasterKey(file);
  t.is(made.key.length, 32);
  t.is(made.version, 1);
  t.is(statSync(file).mode & 0o777, 0o600);
  t.deepEqual(loadMasterKey(file), made);
});

test('GUARD-4: a master key that others can read, or that is none, is refused', (t) => {
  const file = path.join(folder, 'open.key');
  loadMasterKey(file);
  chmodSync(file, 0o640);
  t.throws(() => loadMasterKey(file), { message: /open to other users.*chmod 600/ });
  const broken = path.join(folder, 'broken.key');
  writeFileSync(broken, 'secret', { mode: 0o600 });
  const error = t.throws(() => loadMasterKey(broken), { message: /is not "switchboard-master-key/ });
  t.false(error.message.includes('"secret"'));
});

test('GUARD-4: organisations and purposes have keys of their own', (t) => {
  const master = { version: 1, key: Buffer.alloc(32, 1) };
  const [one, other] = [tenantKeys(master, 'org_1'), tenantKeys(master, 'org_2')];
  const all = [one.naming, one.sealing, other.naming, other.sealing].map((key) => key.toString('hex'));
  t.is(new Set(all).size, 4);
});

test('GUARD-4: what is sealed opens with its key and context only, and is never the same twice', (t) => {
  const key = Buffer.alloc(32, 2);
  const sealed = seal(key, 'org|Email-1', 'ada@example.com');
  t.is(unseal(key, 'org|Email-1', sealed), 'ada@example.com');
  t.notDeepEqual(seal(key, 'org|Email-1', 'ada@example.com'), sealed);
  t.throws(() => unseal(key, 'org|Email-2', sealed));
  t.throws(() => unseal(Buffer.alloc(32, 3), 'org|Email-1', sealed));
  t.throws(() => unseal(key, 'org|Email-1', sealed.fill(0, -1)));
});
