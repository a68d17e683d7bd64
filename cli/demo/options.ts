import path from 'node:path';
import { parseArgs } from 'node:util';

import { loadConfig, variableName } from '../../platform/config.ts';
import type { Config } from '../../platform/config.ts';
import { isPortFree } from '../../platform/ports.ts';
import { PEOPLE } from './onboarding.ts';
import { SCENARIOS } from './scenarios/index.ts';
import type { ScenarioName } from './scenarios/index.ts';

/** What the command line asks for. */
export interface DemoOptions {
  readonly keep: boolean;
  readonly scenarios: readonly ScenarioName[];
  /** How many people are brought in first; none unless told. */
  readonly people: number | undefined;
}

const NAMES = Object.keys(SCENARIOS) as ScenarioName[];

/** Reads `[--keep] [--people <number>] [--scenario <name>]…`; throws one line on what it cannot read. */
export function demoOptions(args: string[]): DemoOptions {
  const { values } = parseArgs({
    args,
    options: {
      keep: { type: 'boolean', default: false },
      people: { type: 'string' },
      scenario: { type: 'string', multiple: true, default: [] },
    },
  });
  const unknown = values.scenario.find((name) => !NAMES.some((one) => one === name));
  if (unknown !== undefined) throw new Error(`No scenario "${unknown}". There are: ${NAMES.join(', ')}.`);
  const chosen = NAMES.filter((name) => values.scenario.includes(name));
  // Who wants to see people brought in wants to see that alone, unless scenarios are named.
  const people = peopleOf(values.people);
  const scenarios = chosen.length > 0 || people !== undefined ? chosen : NAMES;
  return { keep: values.keep, scenarios, people };
}

function peopleOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const people = Number(text);
  if (Number.isInteger(people) && people >= PEOPLE.least && people <= PEOPLE.most) return people;
  throw new Error(`--people must be a whole number from ${String(PEOPLE.least)} to ${String(PEOPLE.most)}.`);
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
