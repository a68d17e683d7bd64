import { ConfigVariables, variableName } from './config.ts';
import type { Config } from './config.ts';

/** Settings a child process never gets: only migrations may act as the owner of the tables. */
const WITHHELD = new Set([
  'databaseOwnerUrl',
  'apiKey',
  // Given to the one process that needs each (cli/processes.ts).
  'clientSecret',
  'mcpClientSecret',
  'oidcClientSecret',
]);

/** The environment that makes `loadConfig` in a child process read exactly this configuration. */
export function environmentOf(config: Config): Record<string, string> {
  const env: Record<string, string> = {};
  for (const setting of Object.keys(ConfigVariables.shape)) {
    const value = config[setting as keyof Config];
    if (value !== undefined && !WITHHELD.has(setting)) env[variableName(setting)] = String(value);
  }
  return env;
}

/** This process's environment without any of our settings, as the ground for a child's. */
export function foreignEnvironment(env: NodeJS.ProcessEnv = process.env): Record<string, string> {
  const kept = Object.entries(env).filter(([name, value]) => value !== undefined && !name.startsWith('SWITCHBOARD_'));
  return Object.fromEntries(kept) as Record<string, string>;
}
