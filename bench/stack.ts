import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { product } from '../cli/product.ts';
import { developmentKey, readKeys } from '../cli/seed.ts';
import { startStack } from '../cli/stack/stack.ts';
import type { Stack } from '../cli/stack/stack.ts';
import { loadConfig } from '../platform/config.ts';

/** The product as `npm start` runs it, with free ports and data that is thrown away. */
export interface BenchStack {
  readonly stack: Stack;
  readonly apiUrl: string;
  readonly databaseUrl: string;
  readonly key: (name: string) => string;
  readonly id: (name: string) => string;
  readonly organisationId: string;
  /** Names of the processes of a kind. */
  readonly workers: readonly string[];
  readonly apis: readonly string[];
  close(): Promise<void>;
}

/** Starts everything a benchmark measures. */
export async function startBench(layout: 'single' | 'cluster' = 'single'): Promise<BenchStack> {
  const dataDir = mkdtempSync(path.join(tmpdir(), 'switchboard-bench-'));
  chmodSync(dataDir, 0o711);
  const ports: [string, string][] = ['API_PORT', 'MCP_PORT', 'POSTGRES_PORT', 'TEMPORAL_PORT', 'TEMPORAL_UI_PORT', 'OIDC_PORT'].map(
    (name) => [`SWITCHBOARD_${name}`, '0'],
  );
  const config = loadConfig({
    ...process.env,
    ...Object.fromEntries<string>(ports),
    SWITCHBOARD_STATIC_KEYS: 'true',
    SWITCHBOARD_DATA_DIR: dataDir,
    SWITCHBOARD_LAYOUT: layout,
  });
  const stack = await startStack({ ...product, config, say: () => undefined });
  const keys = readKeys(stack.config.keysFile);
  if (!keys) throw new Error('The stack has no keys.');
  return {
    stack,
    apiUrl: stack.addresses.api,
    databaseUrl: stack.config.databaseUrl,
    key: (name) => developmentKey(keys, name).key,
    id: (name) => developmentKey(keys, name).id,
    organisationId: keys.organisation_id,
    workers: layout === 'single' ? ['worker'] : ['worker-1', 'worker-2'],
    apis: layout === 'single' ? ['api'] : ['api-1', 'api-2'],
    async close() {
      await stack.stop();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}
