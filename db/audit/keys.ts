import { createPrivateKey, createPublicKey } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';

import { newEd25519Key, readKeyFile, replaceKeyFile } from '../../platform/key-files.ts';

const PublicJwk = z.object({
  kty: z.literal('OKP'),
  crv: z.literal('Ed25519'),
  x: z.string(),
  kid: z.string(),
  alg: z.literal('EdDSA').default('EdDSA'),
  use: z.literal('sig').default('sig'),
  created_at: z.string().optional(),
});
const PrivateJwk = PublicJwk.extend({ d: z.string().optional() });

/** Public keys as a JSON Web Key Set (RFC 7517). */
export const Jwks = z.object({ keys: z.array(PublicJwk).min(1) });
export type Jwks = z.infer<typeof Jwks>;

const KeyFile = z.object({ keys: z.array(PrivateJwk).min(1) });
type KeyFile = z.infer<typeof KeyFile>;

/** What signs checkpoints now. */
export interface SigningKey {
  readonly kid: string;
  readonly key: KeyObject;
}

/** Where the keys of the record are kept; like the master key, one file for all processes of an installation. */
export const auditKeysFile = (dataDir: string): string => path.join(dataDir, 'audit-keys.json');

const newKey = (): z.infer<typeof PrivateJwk> => ({ ...newEd25519Key(), created_at: new Date().toISOString() });

/** Reads the file of keys; the first start makes it, and only its owner may read it. */
const readKeys = (file: string): KeyFile =>
  readKeyFile(file, { what: 'audit', schema: KeyFile, create: () => ({ keys: [newKey()] }) });

function tryJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The key that signs: the newest, read each time, so that a rotation needs no restart. */
export function signingKey(file: string): SigningKey {
  const [jwk] = readKeys(file).keys;
  if (jwk?.d === undefined) throw new Error(`${file} has no private key. Restore it, or run: npm run audit -- rotate`);
  const { kid, kty, crv, x, d } = jwk;
  return { kid, key: createPrivateKey({ key: { kty, crv, x, d }, format: 'jwk' }) };
}

/** All public keys, the newest first; the former ones stay, since what they signed stays. */
export const publicKeys = (file: string): Jwks => Jwks.parse(readKeys(file));

/** Makes a new signing key. The former private key is forgotten, its public half is kept. Answers the new key's id. */
export function rotateKey(file: string): string {
  const { keys } = readKeys(file);
  const made = newKey();
  replaceKeyFile(file, { keys: [made, ...keys.map(({ d: _, ...jwk }) => jwk)] });
  return made.kid;
}

/** Public keys of a file that was handed over, by id. */
export function readJwks(file: string): Jwks {
  const parsed = Jwks.safeParse(tryJson(readFileSync(file, 'utf8')));
  if (!parsed.success)
    throw new Error(`${file} is no JSON Web Key Set of Ed25519 keys, as GET /audit/keys answers it.`);
  return parsed.data;
}

/** Keys that signatures are checked with, by id. */
export const verificationKeys = ({ keys }: Jwks): ReadonlyMap<string, KeyObject> =>
  new Map(keys.map(({ kid, kty, crv, x }) => [kid, createPublicKey({ key: { kty, crv, x }, format: 'jwk' })]));
