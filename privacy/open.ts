import { createPseudonymStore } from '../db/pseudonyms.ts';
import type { Database } from '../db/pool.ts';
import { createEnvelope } from './envelope.ts';
import type { Envelope } from './envelope.ts';
import { createGuard } from './guard.ts';
import type { Guard } from './guard.ts';
import { loadMasterKey } from './keys.ts';
import type { MasterKey } from './keys.ts';

/** The guard and the envelope of a process, under the master key of a file. */
export function openPrivacy(
  masterKeyFile: string,
  database: Database,
): { readonly guard: Guard; readonly envelope: Envelope; readonly masterKey: MasterKey } {
  const masterKey = loadMasterKey(masterKeyFile);
  return {
    guard: createGuard({ masterKey, store: createPseudonymStore(database) }),
    envelope: createEnvelope(masterKey),
    masterKey,
  };
}
