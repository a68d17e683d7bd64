import path from 'node:path';

import { productProcesses } from '../../cli/processes.ts';
import type { ProcessDefinition } from '../../cli/processes.ts';
import { product } from '../../cli/product.ts';
import { developmentKey, readKeys } from '../../cli/seed.ts';
import type { KeysFile } from '../../cli/seed.ts';
import { startStack } from '../../cli/stack/stack.ts';
import type { RunningConfig, Stack } from '../../cli/stack/stack.ts';
import { loadConfig } from '../../platform/config.ts';
import { startTcpRelay } from '../../platform/tcp-relay.ts';
import type { TcpRelay } from '../../platform/tcp-relay.ts';
import { ANY_PORTS, scenarioFolder } from '../support/scenario-stack.ts';

/** Kinds of process that reach a server over a link of their own. */
const LINKED = ['api', 'worker'] as const;

/** The product in processes of its own, every one of which can be ended, and every link to a server disturbed. */
export interface Stage {
  readonly stack: Stack;
  readonly apiUrl: string;
  readonly keys: KeysFile;
  readonly key: (name: string) => string;
  readonly id: (name: string) => string;
  /** Links by name: `api-database`, `worker-temporal` … */
  readonly links: ReadonlyMap<string, TcpRelay>;
  /** Names of the processes that may be ended or halted. */
  readonly parts: readonly string[];
  close(): Promise<void>;
}

export interface StageOptions {
  readonly layout: 'single' | 'cluster';
  readonly workflowBundle?: string | undefined;
  /** Settings beyond the usual ones. */
  readonly env?: Readonly<Record<string, string>>;
  /** Last word on what runs. */
  readonly adapt?: (definition: ProcessDefinition) => ProcessDefinition;
  readonly folder?: string;
}

/** Starts everything on free ports, with relays between the processes and their servers. */
export async function openStage(options: StageOptions): Promise<Stage> {
  const { folder, remove } = options.folder === undefined ? scenarioFolder() : kept(options.folder);
  const config = loadConfig({
    ...ANY_PORTS,
    SWITCHBOARD_STATIC_KEYS: 'true',
    SWITCHBOARD_DATA_DIR: folder,
    SWITCHBOARD_LAYOUT: options.layout,
    ...(options.workflowBundle !== undefined && { SWITCHBOARD_WORKFLOW_BUNDLE: options.workflowBundle }),
    ...options.env,
  });
  const links = new Map<string, TcpRelay>();
  const parts = ['postgres', 'temporal'];
  const processes = async (running: RunningConfig): Promise<ProcessDefinition[]> => {
    for (const kind of LINKED) await link(links, kind, running);
    const definitions = (await productProcesses(running)).map((one) => behindLinks(one, running, links));
    parts.push(...definitions.map(({ name }) => name).filter((name) => kindOf(name) !== undefined));
    return definitions.map(options.adapt ?? ((one) => one));
  };
  try {
    const stack = await startStack({ ...product, config, processes, supervise: false });
    return describe(stack, links, parts, remove);
  } catch (error) {
    await closeLinks(links);
    remove();
    throw error;
  }
}

const kept = (folder: string) => ({ folder, remove: () => undefined });

function describe(
  stack: Stack,
  links: ReadonlyMap<string, TcpRelay>,
  parts: readonly string[],
  remove: () => void,
): Stage {
  const keys = readKeys(stack.config.keysFile);
  if (!keys) throw new Error('The stack has no keys.');
  return {
    stack,
    apiUrl: stack.addresses.api,
    keys,
    key: (name) => developmentKey(keys, name).key,
    id: (name) => developmentKey(keys, name).id,
    links,
    parts,
    close: async () => {
      await stack.stop();
      await closeLinks(links);
      remove();
    },
  };
}

const kindOf = (name: string): (typeof LINKED)[number] | undefined => LINKED.find((kind) => name.startsWith(kind));

async function link(links: Map<string, TcpRelay>, kind: string, config: RunningConfig): Promise<void> {
  const database = new URL(config.databaseUrl);
  const [host = '', port] = config.temporalAddress.split(':');
  const to = (upstream: { host: string; port: number }) => startTcpRelay(0, '127.0.0.1', [upstream]);
  links.set(`${kind}-database`, await to({ host: database.hostname, port: Number(database.port) }));
  links.set(`${kind}-temporal`, await to({ host, port: Number(port) }));
}

function behindLinks(
  definition: ProcessDefinition,
  config: RunningConfig,
  links: ReadonlyMap<string, TcpRelay>,
): ProcessDefinition {
  const kind = kindOf(definition.name);
  const [database, temporal] = [links.get(`${String(kind)}-database`), links.get(`${String(kind)}-temporal`)];
  if (!database || !temporal) return definition;
  const url = new URL(config.databaseUrl);
  url.port = String(database.port);
  const env = {
    SWITCHBOARD_DATABASE_URL: url.href,
    SWITCHBOARD_TEMPORAL_ADDRESS: `127.0.0.1:${String(temporal.port)}`,
  };
  return { ...definition, env: { ...definition.env, ...env } };
}

const closeLinks = async (links: ReadonlyMap<string, TcpRelay>): Promise<void> => {
  await Promise.all([...links.values()].map((relay) => relay.close()));
};

/** Where the log of everything is. */
export const logOf = ({ stack }: Stage): string => path.resolve(stack.logFile);
