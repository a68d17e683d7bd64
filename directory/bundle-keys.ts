import path from 'node:path';

import { z } from 'zod';

import { newEd25519Key, readKeyFile, replaceKeyFile } from '../platform/key-files.ts';

const StoredKey = z.object({
  kty: z.literal('OKP'),
  crv: z.literal('Ed25519'),
  x: z.string(),
  /** Only of the key that signs, and of the one that will. */
  d: z.string().optional(),
  kid: z.string(),
  alg: z.literal('EdDSA'),
  use: z.literal('sig'),
  /** From when it signs: clients that keep the key set for a while know it before they meet it. */
  signs_from: z.iso.datetime(),
});
type StoredKey = z.infer<typeof StoredKey>;
const KeyFile = z.object({ keys: z.array(StoredKey).min(1) });

/** A public key as GET /profiles/keys answers it. */
export type PublicBundleKey = Omit<StoredKey, 'd' | 'signs_from'>;
/** The key that signs now. */
export type SigningBundleKey = PublicBundleKey & { readonly d: string };

/** How long a bundle is valid, and a key that signs no more is published. */
export const BUNDLE_VALID_S = 7 * 24 * 3_600;
/** How long a new key is published before it signs. */
const OVERLAP_MS = 3_600_000;

/** Where the keys are kept; one file for all processes of an installation, like the audit keys. */
export const bundleKeysFile = (dataDir: string): string => path.join(dataDir, 'profile-keys.json');

const newKey = (signsFrom: Date): StoredKey => ({ ...newEd25519Key(), signs_from: signsFrom.toISOString() });

/** Reads the file of keys, the newest first; the first start makes it, and only its owner may read it. */
const readKeys = (file: string): readonly StoredKey[] =>
  readKeyFile(file, { what: 'profile', schema: KeyFile, create: () => ({ keys: [newKey(new Date(0))] }) }).keys;

const signsAt = ({ signs_from }: StoredKey, now: number): boolean => Date.parse(signs_from) <= now;

/** The key that signs: the newest whose time has come, read each time, so that a rotation needs no restart. */
export function signingBundleKey(file: string, now = Date.now()): SigningBundleKey {
  const key = readKeys(file).find((one) => signsAt(one, now));
  if (key?.d === undefined)
    throw new Error(`${file} has no private key that may sign. Restore it, or run: npm run profile -- rotate --now`);
  const { signs_from: _, ...jwk } = key;
  return { ...jwk, d: key.d };
}

/** All public keys whose bundles may be valid, and the one that will sign next. */
export function publicBundleKeys(file: string, now = Date.now()): { readonly keys: readonly PublicBundleKey[] } {
  const keys = readKeys(file);
  // A key signed until the one before it in the file began.
  const signedUntil = (at: number): number => Date.parse(keys[at - 1]?.signs_from ?? '9999-01-01T00:00:00Z');
  const published = keys.filter((_, at) => signedUntil(at) + BUNDLE_VALID_S * 1_000 > now);
  return { keys: published.map(({ d: _d, signs_from: _from, ...jwk }) => jwk) };
}

/**
 * Makes a new key: it is published at once and signs after an hour. Private halves that will not sign again are forgotten,
 * public ones stay while bundles of theirs may be valid. `immediately` is for a key that fell into wrong hands: it signs
 * at once, and no former key is published any more. Answers the new key's id.
 */
export function rotateBundleKey(file: string, { at = Date.now(), immediately = false } = {}): string {
  const keys = readKeys(file);
  const made = newKey(new Date(immediately ? at : at + OVERLAP_MS));
  const signing = keys.find((one) => signsAt(one, at))?.kid;
  const former = immediately ? [] : keys.filter((one) => signsAt(one, at));
  const kept = former.map(({ d, ...jwk }) => (jwk.kid === signing && d !== undefined ? { ...jwk, d } : jwk));
  replaceKeyFile(file, { keys: [made, ...kept] });
  return made.kid;
}
