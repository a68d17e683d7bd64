import path from 'node:path';
import { parseArgs } from 'node:util';

import { loadConfig, variableName } from '../../platform/config.ts';
import type { Config } from '../../platform/config.ts';
import { isPortFree } from '../../platform/ports.ts';
import { SCENARIOS } from './scenarios/index.ts';
import type { ScenarioName } from './scenarios/index.ts';

/** What the command line asks for. */
export interface DemoOptions {
  readonly keep: boolean;
  readonly scenarios: readonly ScenarioName[];
}

const NAMES = Object.keys(SCENARIOS) as ScenarioName[];

/** Reads `[--keep] [--scenario <name>]…`; throws one line on what it cannot read. */
export function demoOptions(args: string[]): DemoOptions {
  const { values } = parseArgs({
    args,
    options: { keep: { type: 'boolean', default: false }, scenario: { type: 'string', multiple: true, default: [] } },
  });
  const unknown = values.scenario.find((name) => !NAMES.some((one) => one === name));
  if (unknown !== undefined) throw new Error(`No scenario "${unknown}". There are: ${NAMES.join(', ')}.`);
  const chosen = NAMES.filter((name) => values.scenario.includes(name));
  return { keep: values.keep, scenarios: chosen.length > 0 ? chosen : NAMES };
}

/** Settings that would make the demonstration play on somebody's own installation. */
const FOREIGN = ['keysFile', 'databaseUrl', 'databaseOwnerUrl', 'temporalAddress', 'apiUrl', 'publicUrl', 'oidcIssuer'];
const PORTS = ['apiPort', 'mcpPort', 'postgresPort', 'temporalPort', 'temporalUiPort', 'oidcPort'] as const;

/** The configuration of the demonstration: a data folder and servers of its own, on free ports where none are named. */
export async function demoConfig(env: Record<string, string | undefined> = process.env): Promise<Config> {
  const own = { ...env };
  for (const setting of FOREIGN) own[variableName(setting)] = undefined;
  const given = loadConfig(own);
  own[variableName('dataDir')] = path.join(given.dataDir, 'demo');
  for (const setting of PORTS) {
    const named = own[variableName(setting)];
    if ((named === undefined || named === '') && !(await isPortFree(given[setting]))) own[variableName(setting)] = '0';
  }
  return loadConfig(own);
}
