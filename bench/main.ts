// npm run bench [-- <part> …] [--layout single|cluster] [--rows N] [--open 100,10000,100000] [--minutes 60]: figures of docs/performance.md, measured here and now.
import { parseArgs } from 'node:util';

import { benchAgents } from './agents.ts';
import { benchDecision } from './decision.ts';
import { benchGrowth } from './growth.ts';
import { benchImport } from './import.ts';
import { benchLife } from './life.ts';
import { benchLists } from './lists.ts';
import { benchOpenTasks } from './open-tasks.ts';
import { benchPolicy } from './policy.ts';
import { benchProfile } from './profile.ts';
import { benchReads } from './reads.ts';
import { benchRecord } from './record.ts';
import { benchScaleOut } from './scale-out.ts';
import { benchSoak } from './soak.ts';
import { startBench } from './stack.ts';
import type { BenchStack } from './stack.ts';

// What is started ends with this process, however that ends.
process.env['SWITCHBOARD_TEST_WATCHDOG'] ??= 'true';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    layout: { type: 'string' },
    rows: { type: 'string', default: '1000000' },
    open: { type: 'string', default: '100,10000,100000' },
    agents: { type: 'string', default: '1000' },
    people: { type: 'string', default: '50000' },
    minutes: { type: 'string', default: '60' },
  },
});

const PARTS: Readonly<Record<string, (bench: BenchStack) => Promise<unknown>>> = {
  life: benchLife,
  profile: benchProfile,
  decision: benchDecision,
  reads: benchReads,
  'scale-out': benchScaleOut,
  growth: (bench) => benchGrowth(bench, values.open.split(',').map(Number)),
  'open-tasks': (bench) => benchOpenTasks(bench, 1_000),
  record: (bench) => benchRecord(bench, Number(values.rows)),
  soak: (bench) => benchSoak(bench, Number(values.minutes)),
  agents: (bench) => benchAgents(bench, Number(values.agents)),
  import: (bench) => benchImport(bench, Number(values.people)),
  lists: (bench) => benchLists(bench, Number(values.rows)),
};

/** Needs no stack: a decision is computed. */
const PLAIN: Readonly<Record<string, () => void>> = { policy: benchPolicy };
const asked = positionals.length === 0 ? [...Object.keys(PLAIN), ...Object.keys(PARTS)] : positionals;
for (const part of asked.filter((name) => name in PLAIN)) {
  console.log(`\n## ${part}\n`);
  PLAIN[part]?.();
}
const parts = asked.filter((name) => !(name in PLAIN));
const unknown = parts.find((part) => !(part in PARTS));
if (unknown !== undefined) throw new Error(`No part "${unknown}": ${Object.keys(PARTS).join(', ')}.`);
const layouts = values.layout === undefined ? (['single', 'cluster'] as const) : ([values.layout] as ['single']);

for (const layout of parts.length === 0 ? [] : layouts) {
  const bench = await startBench(layout);
  try {
    for (const part of parts) {
      console.log(`\n## ${part} (${layout})\n`);
      await PARTS[part]?.(bench);
    }
  } finally {
    await bench.close();
  }
}
