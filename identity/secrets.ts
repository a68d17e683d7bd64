import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { statSync } from 'node:fs';
import path from 'node:path';

import { z } from 'zod';

import { randomPassword, readOrCreatePrivate } from '../platform/files.ts';

const Secrets = z.object({
  /** Private key that tokens are signed with, as a JWK. */
  key: z.record(z.string(), z.unknown()),
  /** From which passwords and client secrets are derived by name. */
  seed: z.string().min(32),
  cookie_key: z.string().min(32),
});
export type Secrets = z.infer<typeof Secrets>;

/** Where the development provider keeps its secrets, and the state that survives a restart. */
export const identityFiles = (dataDir: string): { readonly secrets: string; readonly state: string } => ({
  secrets: path.join(dataDir, 'identity-secrets.json'),
  state: path.join(dataDir, 'identity-state.json'),
});

function made(): Secrets {
  const jwk = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ format: 'jwk' });
  const kid = randomBytes(8).toString('hex');
  return { key: { ...jwk, kid, alg: 'RS256', use: 'sig' }, seed: randomPassword(), cookie_key: randomPassword() };
}

/** Reads the provider's secrets; the first start makes the file, which only its owner may read. */
export function readSecrets(dataDir: string): Secrets {
  const file = identityFiles(dataDir).secrets;
  const text = readOrCreatePrivate(file, () => `${JSON.stringify(made(), null, 2)}\n`);
  if (process.platform !== 'win32' && (statSync(file).mode & 0o077) !== 0)
    throw new Error(`${file} is open to other users. Run: chmod 600 ${file}`);
  const parsed = Secrets.safeParse(JSON.parse(text));
  if (!parsed.success) throw new Error(`${file} holds no secrets of the development provider. Remove it.`);
  return parsed.data;
}
