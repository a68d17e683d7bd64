import { createHash } from 'node:crypto';

import type { HistoryKeys } from '../../temporal/codec.ts';

/** Keys for histories without a database: derived from the organisation's id, the same in every run. */
export function fixedKeys(version = 1): HistoryKeys {
  const keyOf = (organisationId: string, of: number): Buffer =>
    createHash('sha256')
      .update(`test|${organisationId}|${String(of)}`)
      .digest();
  return {
    current: (organisationId) => Promise.resolve({ version, key: keyOf(organisationId, version) }),
    find: (organisationId, of) =>
      of <= version
        ? Promise.resolve(keyOf(organisationId, of))
        : Promise.reject(new Error(`There is no key ${organisationId}/${String(of)}: restore it.`)),
  };
}
