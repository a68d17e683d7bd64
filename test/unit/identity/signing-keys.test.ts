import { chmodSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import test from 'ava';
import { jwtVerify, SignJWT } from 'jose';

import { SigningKeys } from '../../../platform/tokens/signing-keys.ts';

const sign = (keys: SigningKeys): Promise<string> => {
  const { kid, ...jwk } = keys.current();
  return new SignJWT({}).setProtectedHeader({ alg: 'ES256', kid }).sign(jwk);
};

test('IDN-2: keys of tokens are their owner’s alone, and a rotation leaves valid what the former key signed', async (t) => {
  const folder = mkdtempSync(path.join(tmpdir(), 'switchboard-keys-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const file = path.join(folder, 'token-keys.json');
  const [keys, same] = [await SigningKeys.open(file), await SigningKeys.open(file)];
  t.is(statSync(file).mode & 0o777, 0o600);
  const before = await sign(keys);
  const kid = await keys.rotate();
  t.is(keys.current().kid, kid);
  t.is(same.current().kid, kid, 'another process sees it');
  t.is(keys.published().keys.length, 2);
  t.false(JSON.stringify(keys.published()).includes('"d"'));
  for (const token of [before, await sign(keys)]) await t.notThrowsAsync(jwtVerify(token, same.find));
  chmodSync(file, 0o644);
  await t.throwsAsync(SigningKeys.open(file), { message: /open to other users/ });
});

test('IDN-2: a public key alone signs nothing', async (t) => {
  const folder = mkdtempSync(path.join(tmpdir(), 'switchboard-keys-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const keys = await SigningKeys.open(path.join(folder, 'token-keys.json'));
  const other = await SigningKeys.open(path.join(folder, 'other-keys.json'));
  const { kid } = keys.current();
  const { kid: _, ...jwk } = other.current();
  const forged = await new SignJWT({}).setProtectedHeader({ alg: 'ES256', kid }).sign(jwk);
  await t.throwsAsync(jwtVerify(forged, keys.find), { code: 'ERR_JWS_SIGNATURE_VERIFICATION_FAILED' });
});
