import { createHash, generateKeyPairSync, randomBytes } from 'node:crypto';
import { readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';

import type { z } from 'zod';

import { readOrCreatePrivate } from './files.ts';

/** A new Ed25519 key as a JWK; its id is the thumbprint of RFC 7638, which says which key it is. */
export function newEd25519Key() {
  const { x = '', d = '' } = generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' });
  const kid = createHash('sha256').update(`{"crv":"Ed25519","kty":"OKP","x":"${x}"}`).digest('base64url');
  return { kty: 'OKP', crv: 'Ed25519', x, d, kid, alg: 'EdDSA', use: 'sig' } as const;
}

function requireOwnerOnly(file: string, what: string): void {
  if (process.platform !== 'win32' && (statSync(file).mode & 0o077) !== 0)
    throw new Error(`The ${what} keys ${file} are open to other users. Run: chmod 600 ${file}`);
}

/** What a file of keys holds, by its schema; where it is to be made, the first start does, and only its owner may read it. */
export function readKeyFile<S extends z.ZodType>(
  file: string,
  { what, schema, create }: { readonly what: string; readonly schema: S; readonly create?: () => unknown },
): z.infer<S> {
  const text = create ? readOrCreatePrivate(file, () => textOf(create())) : readFileSync(file, 'utf8');
  requireOwnerOnly(file, what);
  const parsed = schema.safeParse(tryJson(text));
  if (!parsed.success) throw new Error(`${file} is no set of ${what} keys. Restore it.`);
  return parsed.data;
}

/** Replaces a file of keys as a whole: whoever reads it sees the former or the new one. */
export function replaceKeyFile(file: string, content: unknown): void {
  const draft = `${file}.${randomBytes(6).toString('hex')}`;
  writeFileSync(draft, textOf(content), { mode: 0o600, flush: true });
  renameSync(draft, file);
}

const textOf = (content: unknown): string => `${JSON.stringify(content, null, 2)}\n`;

function tryJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
