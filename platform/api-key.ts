import { createHash, randomBytes } from 'node:crypto';

/** A new API key, `sbk_<key id>_<secret>`, and what is kept of it. */
export const newApiKey = (): NewKey => newKey('sbk');

/** A new provisioning token, `sbp_<id>_<secret>`, and what is kept of it. */
export const newProvisioningToken = (): NewKey => newKey('sbp');

/** A credential, shown once, with its id and hash. */
export interface NewKey {
  readonly key: string;
  readonly keyId: string;
  readonly hash: Buffer;
}

function newKey(prefix: string): NewKey {
  const keyId = randomBytes(32)
    .toString('base64')
    .replaceAll(/[^A-Za-z0-9]/g, '')
    .slice(0, 12);
  const key = `${prefix}_${keyId}_${randomBytes(32).toString('base64url')}`;
  return { key, keyId, hash: createHash('sha256').update(key).digest() };
}
