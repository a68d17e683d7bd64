import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { statSync } from 'node:fs';
import path from 'node:path';

import { calculateJwkThumbprint, createLocalJWKSet } from 'jose';
import type { JSONWebKeySet, JWTVerifyGetKey } from 'jose';
import { z } from 'zod';

import { readKeyFile, replaceKeyFile } from '../key-files.ts';

const Jwk = z.object({
  kty: z.literal('EC'),
  crv: z.literal('P-256'),
  x: z.string(),
  y: z.string(),
  d: z.string().optional(),
  kid: z.string(),
  alg: z.literal('ES256'),
  use: z.literal('sig'),
  retired_at: z.string().optional(),
});
type Jwk = z.infer<typeof Jwk>;
const KeyFile = z.object({ keys: z.array(Jwk).min(1), cookie_secret: z.string().min(43) });
type KeyFile = z.infer<typeof KeyFile>;

/** A key that was replaced is published for so long, so that what it signed stays valid until it expires. */
const OVERLAP_MS = 86_400_000;

/** Where the keys of the token service are kept; like the master key, one file for all processes of an installation. */
export const tokenKeysFile = (dataDir: string): string => path.join(dataDir, 'token-keys.json');

async function newKey(): Promise<Jwk> {
  const {
    x = '',
    y = '',
    d = '',
  } = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({
    format: 'jwk',
  });
  const kid = await calculateJwkThumbprint({ kty: 'EC', crv: 'P-256', x, y });
  return { kty: 'EC', crv: 'P-256', x, y, d, kid, alg: 'ES256', use: 'sig' };
}

/** The keys with which Switchboard signs tokens and seals cookies; the first start makes the file, for its owner only. */
export class SigningKeys {
  private readonly file: string;
  private read: { readonly at: number; readonly content: KeyFile } | undefined;

  private constructor(file: string) {
    this.file = file;
  }

  static async open(file: string): Promise<SigningKeys> {
    const made = { keys: [await newKey()], cookie_secret: randomBytes(32).toString('base64url') };
    readKeyFile(file, { what: 'token', schema: KeyFile, create: () => made });
    return new SigningKeys(file);
  }

  /** The private key that signs now, as a JWK. */
  current(): Jwk & { readonly d: string } {
    const [jwk] = this.content().keys;
    if (jwk?.d === undefined) throw new Error(`${this.file} has no private key. Restore it.`);
    return { ...jwk, d: jwk.d };
  }

  /** Public keys, the newest first. */
  published(): JSONWebKeySet {
    return { keys: this.content().keys.map(({ d: _, retired_at: __, ...jwk }) => jwk) };
  }

  /** For `jwtVerify`: follows the file, so that a rotation by another process is seen. */
  readonly find: JWTVerifyGetKey = (header, token) => createLocalJWKSet(this.published())(header, token);

  /** 32 bytes. */
  cookieSecret(): Buffer {
    return Buffer.from(this.content().cookie_secret, 'base64url').subarray(0, 32);
  }

  /** Makes a new signing key; the former one is published for another day. Answers the new key's id. */
  async rotate(): Promise<string> {
    const { keys, cookie_secret } = this.content();
    const made = await newKey();
    const former = keys
      .map(({ d: _, ...jwk }) => ({ ...jwk, retired_at: jwk.retired_at ?? new Date().toISOString() }))
      .filter(({ retired_at }) => Date.parse(retired_at) > Date.now() - OVERLAP_MS);
    replaceKeyFile(this.file, { keys: [made, ...former], cookie_secret });
    this.read = undefined;
    return made.kid;
  }

  private content(): KeyFile {
    const { mtimeMs: at } = statSync(this.file);
    if (this.read?.at === at) return this.read.content;
    const content = readKeyFile(this.file, { what: 'token', schema: KeyFile });
    this.read = { at, content };
    return content;
  }
}
