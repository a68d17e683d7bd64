import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';

import type { Place } from '../../cli/demo/cast.ts';
import { membersWithKeys } from '../../cli/demo/members.ts';
import { product } from '../../cli/product.ts';
import { readKeys } from '../../cli/seed.ts';
import type { KeysFile } from '../../cli/seed.ts';
import { startStack } from '../../cli/stack/stack.ts';
import type { Stack } from '../../cli/stack/stack.ts';
import { loadConfig } from '../../platform/config.ts';
import { testServers } from './environment.ts';

/** With everybody's keys, for clients of other kinds. */
export interface KeyedPlace extends Place {
  readonly keys: KeysFile;
}

/** The whole product as it is started for users, in processes of its own. */
export interface ScenarioStack {
  readonly stack: Stack;
  /** Where scenarios find it. */
  readonly place: KeyedPlace;
  readonly close: () => Promise<void>;
}

/** Any free ports. */
export const ANY_PORTS = {
  SWITCHBOARD_API_PORT: '0',
  SWITCHBOARD_MCP_PORT: '0',
  SWITCHBOARD_POSTGRES_PORT: '0',
  SWITCHBOARD_TEMPORAL_PORT: '0',
  SWITCHBOARD_TEMPORAL_UI_PORT: '0',
  SWITCHBOARD_OIDC_PORT: '0',
} as const;

/** A data folder that the user who runs Postgres may pass through. */
export function scenarioFolder(): { readonly folder: string; readonly remove: () => void } {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'switchboard-e2e-'));
  chmodSync(folder, 0o711);
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

/** Starts Postgres, Temporal, API, worker and MCP server on free ports and a folder that goes with them. */
export async function startScenarioStack({ supervise = true } = {}): Promise<ScenarioStack> {
  const { folder, remove } = scenarioFolder();
  const config = loadConfig({
    ...ANY_PORTS,
    SWITCHBOARD_STATIC_KEYS: 'true',
    SWITCHBOARD_DATA_DIR: folder,
    SWITCHBOARD_WORKFLOW_BUNDLE: testServers().workflowBundle,
  });
  try {
    const stack = await startStack({ ...product, config, supervise });
    const keys = readKeys(stack.config.keysFile);
    if (!keys) throw new Error('The stack has no keys.');
    const close = async (): Promise<void> => {
      await stack.stop();
      remove();
    };
    return { stack, place: placeOf(stack, keys), close };
  } catch (error) {
    remove();
    throw error;
  }
}

const placeOf = ({ addresses, config }: Stack, keys: KeysFile): KeyedPlace => ({
  apiUrl: addresses.api,
  members: membersWithKeys(keys),
  keys,
  temporal: { address: addresses.temporal, namespace: config.temporalNamespace },
});
