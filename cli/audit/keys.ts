import type { KeyObject } from 'node:crypto';

import { auditKeysFile, publicKeys, readJwks, rotateKey, verificationKeys } from '../../db/audit/keys.ts';
import { say } from '../say.ts';
import type { AuditOptions } from './options.ts';

/** Keys to verify with: those of a file, or this installation's own. */
export const keysFor = ({ keys, config }: AuditOptions): ReadonlyMap<string, KeyObject> =>
  verificationKeys(keys === undefined ? publicKeys(auditKeysFile(config.dataDir)) : readJwks(keys));

/** Prints the public keys, for whoever verifies elsewhere. */
export const printKeys = ({ config }: AuditOptions): Promise<number> => {
  say(JSON.stringify(publicKeys(auditKeysFile(config.dataDir)), null, 2));
  return Promise.resolve(0);
};

/** Makes a new signing key; running workers sign with it from their next checkpoint on. */
export const runRotate = ({ config }: AuditOptions): Promise<number> => {
  say(
    `Checkpoints are signed with ${rotateKey(auditKeysFile(config.dataDir))} from now on. Hand the new keys to those who verify: npm run audit -- keys`,
  );
  return Promise.resolve(0);
};
