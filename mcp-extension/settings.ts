import { parseArgs } from 'node:util';

import type { Operation } from '../contracts/operation.ts';
import { loadConfig } from '../platform/config.ts';
import type { Config } from '../platform/config.ts';
import { chooseTools } from './toolsets.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** Variables of the extension that Switchboard replaces, and what stands in their place (COMPAT-1). */
const FORMER = { CONTROLLER_URL: 'SWITCHBOARD_API_URL', MESH_JWT_TOKEN: 'SWITCHBOARD_API_KEY' } as const;

/** The settings of an MCP process. */
export interface McpSettings {
  readonly config: Config;
  readonly tools: readonly Operation[];
  readonly timeoutMs: number;
  readonly retries: number;
  /** Host names of the HTTP server besides loopback ones. */
  readonly allowedHosts: readonly string[];
  /** Lines for standard error about variables with a new name. */
  readonly deprecations: readonly string[];
}

/** Reads environment and command line; throws one error that says which setting is wrong. */
export function readSettings(env: Environment = process.env, args = process.argv.slice(2)): McpSettings {
  const { values } = parseArgs({ args, options: { tools: { type: 'string' }, toolsets: { type: 'string' } } });
  const { renamed, deprecations } = renameFormer(env);
  const config = loadConfig(renamed);
  return {
    config,
    allowedHosts: (config.mcpAllowedHosts ?? '').split(',').flatMap((name) => name.trim() || []),
    tools: chooseTools({
      tools: values.tools ?? env['SWITCHBOARD_TOOLS'],
      toolsets: values.toolsets ?? env['SWITCHBOARD_TOOLSETS'],
    }),
    timeoutMs: wholeNumber(env, 'MESH_TIMEOUT_SECS', 30, 600) * 1000,
    // The former variable counts attempts; a retry is every one after the first.
    retries: wholeNumber(env, 'MESH_RETRY_COUNT', 3, 10) - 1,
    deprecations,
  };
}

function renameFormer(env: Environment): { renamed: Record<string, string | undefined>; deprecations: string[] } {
  const renamed = { ...env };
  const deprecations: string[] = [];
  for (const [former, current] of Object.entries(FORMER)) {
    if (!env[former] || env[current]) continue;
    renamed[current] = env[former];
    deprecations.push(`${former} is deprecated: set ${current} instead.`);
  }
  return { renamed, deprecations };
}

function wholeNumber(env: Environment, name: string, fallback: number, most: number): number {
  const text = env[name];
  if (text === undefined || text === '') return fallback;
  const number = Number(text);
  if (Number.isInteger(number) && number >= 1 && number <= most) return number;
  throw new Error(`${name} must be a whole number from 1 to ${String(most)}.`);
}
