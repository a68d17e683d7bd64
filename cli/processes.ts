import path from 'node:path';

import type { Config } from '../platform/config.ts';

/** A Node program that runs as part of the stack. */
export interface ProcessDefinition {
  readonly name: string;
  /** Absolute path of its entry file. */
  readonly script: string;
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** It counts as ready when this port answers; without one, when it calls `reportReady`. */
  readonly port?: number;
}

const WORKER_MEMORY = '--max-old-space-size=512 --max-semi-space-size=8';

const root = path.resolve(import.meta.dirname, '..');

/** What `start` runs besides Postgres and Temporal, in the order it is stopped: nothing new comes in first. */
export function productProcesses(config: Config): ProcessDefinition[] {
  return [
    { name: 'mcp', script: path.join(root, 'mcp-extension/http-main.ts'), port: config.mcpPort },
    { name: 'api', script: path.join(root, 'api/main.ts'), port: config.apiPort },
    // Without a bound, V8 lets the heap of cached workflows grow to gigabytes before it collects it (docs/performance.md).
    { name: 'worker', script: path.join(root, 'workers/main.ts'), env: { NODE_OPTIONS: WORKER_MEMORY } },
  ];
}
