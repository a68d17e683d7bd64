import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { renameSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';

import { calculateJwkThumbprint, createLocalJWKSet } from 'jose';
import type { JSONWebKeySet, JWTVerifyGetKey } from 'jose';
import { z } from 'zod';

import { readOrCreatePrivate } from '../files.ts';

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

const textOf = (file: KeyFile): string => `${JSON.stringify(file, null, 2)}\n`;

/** The keys with which Switchboard signs tokens and seals cookies; the first start makes the file, for its owner only. */
export class SigningKeys {
  private readonly file: string;
  private read: { readonly at: number; readonly content: KeyFile } | undefined;

  private constructor(file: string) {
    this.file = file;
  }

  static async open(file: string): Promise<SigningKeys> {
    const made = textOf({ keys: [await newKey()], cookie_secret: randomBytes(32).toString('base64url') });
    readOrCreatePrivate(file, () => made);
    const keys = new SigningKeys(file);
    keys.content();
    return keys;
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
    const draft = `${this.file}.${randomBytes(6).toString('hex')}`;
    writeFileSync(draft, textOf({ keys: [made, ...former], cookie_secret }), { mode: 0o600, flush: true });
    renameSync(draft, this.file);
    this.read = undefined;
    return made.kid;
  }

  private content(): KeyFile {
    const { mtimeMs: at, mode } = statSync(this.file);
    if (this.read?.at === at) return this.read.content;
    if (process.platform !== 'win32' && (mode & 0o077) !== 0)
      throw new Error(`The keys of tokens ${this.file} are open to other users. Run: chmod 600 ${this.file}`);
    const parsed = KeyFile.safeParse(JSON.parse(readOrCreatePrivate(this.file, () => '')));
    if (!parsed.success) throw new Error(`${this.file} is no set of token keys. Restore it.`);
    this.read = { at, content: parsed.data };
    return parsed.data;
  }
}
