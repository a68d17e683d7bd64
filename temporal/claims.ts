import { createHash } from 'node:crypto';

import { ExternalStorage, StorageDriverClaim } from '@temporalio/common/lib/converter/extstore.js';
import type { Payload } from '@temporalio/common';
import type { StorageDriver } from '@temporalio/common/lib/converter/extstore.js';

import { organisationOfWorkflow } from '../contracts/codec.ts';
import { packPayload, unpackPayload } from './payload-frame.ts';

/** Where payloads go that are too large for a history. */
export interface ClaimStore {
  put(organisationId: string, id: string, payload: Buffer): Promise<void>;
  get(organisationId: string, id: string): Promise<Buffer | undefined>;
}

/** Payloads from this size on are kept in the database; Temporal warns at this size and refuses 2 MiB. */
export const CLAIM_FROM_BYTES = 256 * 1024;

const DRIVER = 'switchboard-postgres';

/** Claim check: the history holds a reference, the database the payload, which the codec has encrypted before. */
export const createClaims = (store: ClaimStore, payloadSizeThreshold = CLAIM_FROM_BYTES): ExternalStorage =>
  new ExternalStorage({ drivers: [driverOver(store)], payloadSizeThreshold });

const driverOver = (store: ClaimStore): StorageDriver => ({
  name: DRIVER,
  type: 'switchboard.postgres',
  store: ({ target }, payloads) => {
    const organisation = organisationOfWorkflow(target?.kind === 'workflow' ? target.id : undefined);
    return Promise.all(
      payloads.map(async (payload) => {
        const packed = packPayload(payload);
        const id = createHash('sha256').update(packed).digest('base64url');
        await store.put(organisation, id, packed);
        return new StorageDriverClaim({ organisation, id });
      }),
    );
  },
  retrieve: (_, claims) => Promise.all(claims.map(({ claimData }) => fetchClaimed(store, claimOf(claimData)))),
});

/** Where a claimed payload is kept, and whose it is. */
export interface Claim {
  readonly organisation: string;
  readonly id: string;
}

const claimOf = ({ organisation = '', id = '' }: Record<string, string | undefined>): Claim => ({ organisation, id });

/** The payload that a claim stands for, still encrypted; throws where it is not there. */
export async function fetchClaimed(store: ClaimStore, { organisation, id }: Claim): Promise<Payload> {
  const packed = await store.get(organisation, id);
  if (packed) return unpackPayload(packed);
  throw new Error(`The payload ${id} of ${organisation} is not in payload_claims: it was swept or erased.`);
}

const metadataText = ({ metadata }: Payload, name: string): string => Buffer.from(metadata?.[name] ?? []).toString();

/** The claim that a payload of a history stands for; undefined where it is no reference of ours. */
export function claimIn(payload: Payload): Claim | undefined {
  if (metadataText(payload, 'messageType') !== 'temporal.api.sdk.v1.ExternalStorageReference') return undefined;
  const reference = JSON.parse(Buffer.from(payload.data ?? []).toString()) as {
    readonly driverName?: string;
    readonly claimData?: Record<string, string>;
  };
  return reference.driverName === DRIVER ? claimOf(reference.claimData ?? {}) : undefined;
}
