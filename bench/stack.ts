import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { product } from '../cli/product.ts';
import { ADMINISTRATOR } from '../cli/demo/cast.ts';
import { membersWhoSignIn } from '../cli/demo/members.ts';
import type { Member } from '../cli/demo/members.ts';
import { readPasswords } from '../cli/demo/passwords.ts';
import { startStack } from '../cli/stack/stack.ts';
import type { Stack } from '../cli/stack/stack.ts';
import { passwordsFile } from '../identity/index.ts';
import { loadConfig } from '../platform/config.ts';

/** The product as `npm start` runs it, with free ports and data that is thrown away. */
export interface BenchStack {
  readonly stack: Stack;
  readonly apiUrl: string;
  readonly databaseUrl: string;
  /** Somebody of the demo organisation by name, who signs in at the provider. */
  readonly member: (name: string) => Member;
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
  const ports: [string, string][] = [
    'API_PORT',
    'MCP_PORT',
    'POSTGRES_PORT',
    'TEMPORAL_PORT',
    'TEMPORAL_UI_PORT',
    'OIDC_PORT',
  ].map((name) => [`SWITCHBOARD_${name}`, '0']);
  const config = loadConfig({
    ...process.env,
    ...Object.fromEntries<string>(ports),
    SWITCHBOARD_STATIC_KEYS: 'true',
    SWITCHBOARD_DATA_DIR: dataDir,
    SWITCHBOARD_LAYOUT: layout,
  });
  const stack = await startStack({ ...product, config, say: () => undefined });
  const { oidcIssuer: issuer = '', oidcClientId: clientId, oidcAudience } = stack.config;
  const passwords = readPasswords(passwordsFile(dataDir));
  const place = { apiUrl: stack.addresses.api, issuer, clientId, audience: oidcAudience };
  const members = await membersWhoSignIn(place, passwords, ADMINISTRATOR);
  return {
    stack,
    apiUrl: stack.addresses.api,
    databaseUrl: stack.config.databaseUrl,
    member: (name) => members.find(name),
    organisationId: members.organisationId,
    workers: layout === 'single' ? ['worker'] : ['worker-1', 'worker-2'],
    apis: layout === 'single' ? ['api'] : ['api-1', 'api-2'],
    async close() {
      await stack.stop();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}
