// npm run bench [-- <part> …] [--layout single|cluster] [--rows N]: figures of docs/performance.md, measured here and now.
import { parseArgs } from 'node:util';

import { benchLife } from './life.ts';
import { benchLists } from './lists.ts';
import { benchOpenTasks } from './open-tasks.ts';
import { startBench } from './stack.ts';
import type { BenchStack } from './stack.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { layout: { type: 'string' }, rows: { type: 'string', default: '1000000' } },
});

const PARTS: Readonly<Record<string, (bench: BenchStack) => Promise<void>>> = {
  life: benchLife,
  'open-tasks': (bench) => benchOpenTasks(bench, 1_000),
  lists: (bench) => benchLists(bench, Number(values.rows)),
};

const parts = positionals.length === 0 ? Object.keys(PARTS) : positionals;
const unknown = parts.find((part) => !(part in PARTS));
if (unknown !== undefined) throw new Error(`No part "${unknown}": ${Object.keys(PARTS).join(', ')}.`);
const layouts = values.layout === undefined ? (['single', 'cluster'] as const) : ([values.layout] as ['single']);

for (const layout of layouts) {
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
