import path from 'node:path';

import { clientSecret, readSecrets } from '../identity/index.ts';
import { developmentIssuer } from '../platform/config.ts';
import type { Config } from '../platform/config.ts';
import { freePort } from '../platform/ports.ts';

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

/** V8 grows its heap before it collects garbage, to no use here: a third less memory at the same rate. */
const API_MEMORY = '--max-old-space-size=256 --max-semi-space-size=2';
const WORKER_MEMORY = '--max-old-space-size=512 --max-semi-space-size=8';

/** How many API and how many worker processes the layout `cluster` runs. */
const INSTANCES = [1, 2] as const;

const root = path.resolve(import.meta.dirname, '..');

/** Whether the stack runs the identity provider itself, for development. */
const hasOwnProvider = (config: Config): boolean => config.oidcIssuer === developmentIssuer(config);

const identity = ({ oidcPort }: Config): ProcessDefinition => ({
  name: 'identity',
  script: path.join(root, 'identity/main.ts'),
  port: oidcPort,
});

/** The secret with which the MCP server exchanges tokens: of the development provider, or as it is set. */
function mcpSecret(config: Config): Record<string, string> {
  const { mcpClientId, mcpClientSecret, dataDir } = config;
  const secret = hasOwnProvider(config) ? clientSecret(readSecrets(dataDir), mcpClientId) : mcpClientSecret;
  return secret === undefined ? {} : { SWITCHBOARD_MCP_CLIENT_SECRET: secret };
}

const mcp = (config: Config): ProcessDefinition => ({
  name: 'mcp',
  script: path.join(root, 'mcp-extension/http-main.ts'),
  port: config.mcpPort,
  env: mcpSecret(config),
});
/** Clients whose tokens are the person: of the development provider, the browser's and that of `login --person`. */
function peopleClients(config: Config): Record<string, string> {
  const { oidcPeopleClients, oidcClientId, oidcPersonClientId } = config;
  if (!hasOwnProvider(config) || oidcPeopleClients !== undefined) return {};
  return { SWITCHBOARD_OIDC_PEOPLE_CLIENTS: `${oidcClientId},${oidcPersonClientId}` };
}

const api = (name: string, port: number, config: Config): ProcessDefinition => ({
  name,
  script: path.join(root, 'api/main.ts'),
  port,
  env: {
    NODE_OPTIONS: API_MEMORY,
    SWITCHBOARD_API_PORT: String(port),
    ...peopleClients(config),
    ...(config.oidcClientSecret !== undefined && { SWITCHBOARD_OIDC_CLIENT_SECRET: config.oidcClientSecret }),
  },
});
// Without a bound, V8 lets the heap of cached workflows grow to gigabytes before it collects it (docs/performance.md).
const worker = (name: string): ProcessDefinition => ({
  name,
  script: path.join(root, 'workers/main.ts'),
  // The only build on this machine: it becomes the current one, and open workflows move to it.
  env: { NODE_OPTIONS: WORKER_MEMORY, SWITCHBOARD_WORKER_PROMOTE: 'true' },
});

/** What `start` runs besides Postgres and Temporal, in the order it is stopped: nothing new comes in first. */
export async function productProcesses(config: Config): Promise<ProcessDefinition[]> {
  const provider = hasOwnProvider(config) ? [identity(config)] : [];
  if (config.layout === 'single')
    return [mcp(config), api('api', config.apiPort, config), worker('worker'), ...provider];
  const ports = await Promise.all(INSTANCES.map(() => freePort()));
  return [
    mcp(config),
    {
      name: 'balancer',
      script: path.join(root, 'cli/stack/balancer-main.ts'),
      args: ports.map(String),
      port: config.apiPort,
    },
    ...ports.map((port, index) => api(`api-${String(index + 1)}`, port, config)),
    ...INSTANCES.map((instance) => worker(`worker-${String(instance)}`)),
    ...provider,
  ];
}
