import { createHash, randomBytes } from 'node:crypto';

/** A new API key, `sbk_<key id>_<secret>`, and what is kept of it. */
export function newApiKey(): { readonly key: string; readonly keyId: string; readonly hash: Buffer } {
  const keyId = randomBytes(32)
    .toString('base64')
    .replaceAll(/[^A-Za-z0-9]/g, '')
    .slice(0, 12);
  const key = `sbk_${keyId}_${randomBytes(32).toString('base64url')}`;
  return { key, keyId, hash: createHash('sha256').update(key).digest() };
}
