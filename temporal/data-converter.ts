import { fileURLToPath } from 'node:url';

import type { DataConverter } from '@temporalio/common';

import { createClaims } from './claims.ts';
import type { ClaimStore } from './claims.ts';
import { createCodec } from './codec.ts';
import type { HistoryKeys } from './codec.ts';

/** The module that turns errors into failures: bundled with the workflows, and loaded by clients and workers. */
export const FAILURE_CONVERTER_PATH = fileURLToPath(new URL('failure-converter.ts', import.meta.url));

/** How values become what Temporal stores: encrypted, with error texts inside, and large ones in the database. */
export const createDataConverter = (
  keys: HistoryKeys,
  claims?: ClaimStore,
  claimFromBytes?: number,
): DataConverter => ({
  payloadCodecs: [createCodec(keys)],
  failureConverterPath: FAILURE_CONVERTER_PATH,
  ...(claims && { externalStorage: createClaims(claims, claimFromBytes) }),
});
