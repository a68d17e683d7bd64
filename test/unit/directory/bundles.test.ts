import { execFile } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';

import test from 'ava';
import fc from 'fast-check';
import { importJWK, SignJWT } from 'jose';

import { BUNDLE_VALID_S, publicBundleKeys, rotateBundleKey, signingBundleKey } from '../../../directory/bundle-keys.ts';
import { signBundle } from '../../../directory/bundles.ts';
import { releaseProfiles } from '../../../directory/organisation-profiles.ts';
import { loadProfiles } from '../../../directory/profiles.ts';
import { ProfileBundleError, verifyProfileBundle } from '../../../platform/profile-bundle.ts';
import type { BundleExpectations, BundleKeys } from '../../../platform/profile-bundle.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'switchboard-bundles-'));
test.after.always(() => {
  rmSync(folder, { recursive: true });
});
let made = 0;
const keysFile = (): string => path.join(folder, `keys-${String((made += 1))}.json`);
const published = releaseProfiles(loadProfiles('profiles')).published('finance');
const NOW = Date.parse('2030-01-01T12:00:00Z');
const HOUR = 3_600_000;
const at = (ms: number): Date => new Date(ms);

async function bundle(file: string, more: { version?: number; now?: number } = {}): Promise<string> {
  if (!published) throw new Error('there is no profile of finance');
  const { version = published.version, now = Date.now() } = more;
  return signBundle(file, { organisation: 'org_a', role: 'finance', published: { ...published, version } }, now);
}

async function fault(jws: string, keys: BundleKeys, expected: BundleExpectations = {}): Promise<string> {
  try {
    await verifyProfileBundle(jws, keys, expected);
    return 'holds';
  } catch (error) {
    if (error instanceof ProfileBundleError) return error.code;
    throw error;
  }
}

/** Signs what no honest server would. */
async function forged(
  file: string,
  claims: Record<string, unknown>,
  header: Record<string, unknown> = {},
): Promise<string> {
  const { d, kty, crv, x, kid } = signingBundleKey(file);
  const key = await importJWK({ kty, crv, x, d }, 'EdDSA');
  return new SignJWT(claims)
    .setProtectedHeader({ alg: 'EdDSA', typ: 'switchboard-profile+jwt', kid, ...header })
    .sign(key);
}

const encoded = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
const claimsOf = (jws: string) =>
  JSON.parse(Buffer.from(jws.split('.')[1] ?? '', 'base64url').toString()) as Record<string, unknown>;

test('DIR-3: a bundle says whose it is, which version and until when, and holds', async (t) => {
  const file = keysFile();
  const jws = await bundle(file);
  const verified = await verifyProfileBundle(jws, publicBundleKeys(file), {
    organisation: 'org_a',
    role: 'finance',
    lastVersion: 1,
  });
  t.like(verified, { organisation: 'org_a', role: 'finance', version: 1, iss: 'switchboard' });
  t.is(verified.exp - verified.iat, BUNDLE_VALID_S);
  t.deepEqual(verified.profile, JSON.parse(JSON.stringify(published?.profile)));
});

test('DIR-3: keys are made at the first start, for their owner alone, and nothing private is published', (t) => {
  const file = keysFile();
  const { keys } = publicBundleKeys(file);
  t.is(statSync(file).mode & 0o777, 0o600);
  t.is(keys.length, 1);
  t.deepEqual(Object.keys(keys[0] ?? {}).sort(), ['alg', 'crv', 'kid', 'kty', 'use', 'x']);
  t.false(JSON.stringify(keys).includes(signingBundleKey(file).d));
});

test('DIR-3: an older, expired, foreign or early bundle is refused', async (t) => {
  const file = keysFile();
  const keys = publicBundleKeys(file);
  const jws = await bundle(file, { version: 4 });
  t.is(await fault(jws, keys, { lastVersion: 4 }), 'holds');
  t.is(await fault(jws, keys, { lastVersion: 5 }), 'older_version');
  t.is(await fault(jws, keys, { organisation: 'org_b' }), 'wrong_organisation');
  t.is(await fault(jws, keys, { role: 'legal' }), 'wrong_role');
  const end = Date.now() + BUNDLE_VALID_S * 1_000;
  t.is(await fault(jws, keys, { now: at(end + 30_000) }), 'holds', 'clocks may differ by a minute');
  t.is(await fault(jws, keys, { now: at(end + 90_000) }), 'expired');
  t.is(await fault(jws, keys, { now: at(Date.now() - 90_000) }), 'not_yet_valid');
});

test('DIR-3: no algorithm, key or type but ours is followed', async (t) => {
  const file = keysFile();
  const keys = publicBundleKeys(file);
  const claims = claimsOf(await bundle(file));
  const [key] = keys.keys;
  const secret = Buffer.from(key?.x ?? '', 'base64url');
  const typ = 'switchboard-profile+jwt';
  const none = `${encoded({ alg: 'none', typ, kid: key?.kid })}.${encoded(claims)}.`;
  const symmetric = await new SignJWT(claims)
    .setProtectedHeader({ alg: 'HS256', typ, kid: key?.kid ?? '' })
    .sign(secret);
  t.is(await fault(none, keys), 'wrong_algorithm');
  t.is(await fault(symmetric, keys), 'wrong_algorithm', 'the public key is no shared secret');
  t.is(
    await fault(await forged(file, claims, { typ: 'JWT' }), keys),
    'wrong_algorithm',
    'another kind of token of the same key',
  );
  t.is(await fault(await forged(file, claims, { kid: 'another' }), keys), 'unknown_key');
  t.is(await fault(await forged(file, claims), { keys: [] }), 'unknown_key');
  const own = generateKeyPairSync('ed25519').privateKey;
  const { x } = own.export({ format: 'jwk' });
  const jwk = { kty: 'OKP', crv: 'Ed25519', x: x ?? '' };
  const embedded = await new SignJWT(claims)
    .setProtectedHeader({ alg: 'EdDSA', typ, kid: key?.kid ?? '', jwk })
    .sign(own);
  t.is(await fault(embedded, keys), 'bad_signature', 'a key that comes along is not taken');
  t.is(await fault(await forged(file, { ...claims, version: 0 }), keys), 'malformed');
  t.is(await fault(await forged(file, { ...claims, exp: undefined }), keys), 'malformed');
  t.is(await fault(await forged(file, { ...claims, profile: { role: 'finance' } }), keys), 'wrong_digest');
  t.is(await fault(await forged(file, { ...claims, role: 'legal' }), keys), 'wrong_role');
  for (const odd of ['', 'a.b.c', '..', 'x'.repeat(600_000)]) t.is(await fault(odd, keys), 'malformed');
});

test('DIR-3: whatever is changed in a bundle, it is refused', async (t) => {
  const file = keysFile();
  const keys = publicBundleKeys(file);
  const jws = await bundle(file);
  const last = jws.length - 1;
  await fc.assert(
    // The last character of a base64url text may carry bits that nobody reads.
    fc.asyncProperty(
      fc.nat({ max: last - 1 }),
      fc.constantFrom('A', 'a', '0', '_', '-', '.', 'z'),
      async (place, character) => {
        if (jws[place] === character) return;
        t.not(await fault(jws.slice(0, place) + character + jws.slice(place + 1), keys), 'holds');
      },
    ),
    { numRuns: 300 },
  );
});

test('DIR-3: a new key is known before it signs, and the former one as long as its bundles are valid', async (t) => {
  const file = keysFile();
  const first = signingBundleKey(file).kid;
  const start = Date.now() + HOUR;
  const former = await bundle(file, { now: start });
  const second = rotateBundleKey(file, { at: start });
  const kids = (now: number) => publicBundleKeys(file, now).keys.map(({ kid }) => kid);
  t.is(signingBundleKey(file, start + HOUR - 1).kid, first);
  t.deepEqual(kids(start), [second, first]);
  t.is(signingBundleKey(file, start + HOUR).kid, second);
  const later = start + HOUR + 60_000;
  t.is(await fault(former, publicBundleKeys(file, later), { now: at(later) }), 'holds');
  t.deepEqual(kids(later + BUNDLE_VALID_S * 1_000), [second]);
  rotateBundleKey(file, { at: later });
  t.false(readFileSync(file, 'utf8').includes(`"kid": "${first}",\n      "d"`));
  t.is(
    (JSON.parse(readFileSync(file, 'utf8')) as { keys: { d?: string }[] }).keys.filter(({ d }) => d !== undefined)
      .length,
    2,
  );
  t.is(statSync(file).mode & 0o777, 0o600);
});

test('DIR-3: a key in wrong hands is replaced at once, and what it signed is refused', async (t) => {
  const file = keysFile();
  const stolen = await bundle(file);
  const kid = rotateBundleKey(file, { immediately: true });
  t.is(signingBundleKey(file).kid, kid);
  t.is(await fault(stolen, publicBundleKeys(file)), 'unknown_key');
  t.is(await fault(await bundle(file), publicBundleKeys(file)), 'holds');
});

test('DIR-3: npm run profile -- verify tells whether a bundle may be used', async (t) => {
  const file = keysFile();
  const [jws, jwks] = [path.join(folder, 'finance.jws'), path.join(folder, 'jwks.json')];
  writeFileSync(jws, `${await bundle(file, { version: 3 })}\n`);
  writeFileSync(jwks, JSON.stringify(publicBundleKeys(file)));
  const run = (...args: string[]) =>
    promisify(execFile)(process.execPath, ['cli/main.ts', 'profile', 'verify', jws, '--keys', jwks, ...args]).then(
      ({ stdout }) => stdout,
      (error: unknown) => {
        const { code, stdout } = error as { code: number; stdout: string };
        return `${String(code)} ${stdout}`;
      },
    );
  t.regex(
    await run('--last-version', '3', '--role', 'finance'),
    /^Profile of finance, version 3, of org_a: holds until /,
  );
  t.regex(await run('--last-version', '4'), /^1 REFUSED {2}older_version: /);
  t.regex(await run('--organisation', 'org_b'), /^1 REFUSED {2}wrong_organisation: /);
});

test('DIR-3: bundles are refused by the date of the reader, whatever the date of the test', async (t) => {
  const file = keysFile();
  const jws = await bundle(file, { now: NOW });
  t.is(await fault(jws, publicBundleKeys(file), { now: at(NOW) }), 'holds');
});
