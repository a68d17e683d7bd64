// npm run chaos [-- --tasks 200 --seconds 150 --long-cut 120 --seed N --layout cluster|single --rounds N]
import { randomInt } from 'node:crypto';
import { copyFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';

import { runChaos } from './chaos.ts';
import { logOf, openStage } from './stage.ts';
import type { Stage } from './stage.ts';

// What is started ends with this process, however that ends.
process.env['SWITCHBOARD_TEST_WATCHDOG'] ??= 'true';

const { values } = parseArgs({
  options: {
    tasks: { type: 'string', default: '200' },
    seconds: { type: 'string', default: '150' },
    'long-cut': { type: 'string', default: '120' },
    seed: { type: 'string' },
    layout: { type: 'string', default: 'cluster' },
    rounds: { type: 'string', default: '1' },
    folder: { type: 'string' },
  },
});

const say = (line: string): void => void process.stdout.write(`${new Date().toISOString().slice(11, 19)}  ${line}\n`);

/** What went wrong is read in the log, which would go with the folder. */
function keepLog(stage: Stage, seed: number): void {
  const file = path.join(os.tmpdir(), `switchboard-chaos-${String(seed)}.log`);
  copyFileSync(logOf(stage), file);
  say(`the log is kept as ${file}`);
}

async function round(number: number): Promise<boolean> {
  const seed = values.seed === undefined ? randomInt(1_000_000) : Number(values.seed) + number;
  const layout = values.layout === 'single' ? 'single' : 'cluster';
  say(`starting everything (${layout})`);
  const stage = await openStage({ layout, ...(values.folder !== undefined && { folder: values.folder }) });
  say(`log: ${logOf(stage)}`);
  try {
    const report = await runChaos(stage, {
      tasks: Number(values.tasks),
      seconds: Number(values.seconds),
      longCutSeconds: Number(values['long-cut']),
      seed,
      say,
    });
    const { faults, breaches, troubles, returns } = report;
    say(`${String(faults.length)} faults; requests repeated: ${JSON.stringify(Object.fromEntries(troubles.repeated))}`);
    say(`listeners came back ${String(returns)} times`);
    for (const bug of troubles.bugs.slice(0, 10)) say(`unexpected error: ${bug}`);
    for (const [invariant, found] of Object.entries(breaches)) {
      say(`${found.length === 0 ? 'holds ' : 'BROKEN'}  ${invariant}`);
      for (const breach of found.slice(0, 10)) say(`        ${breach}`);
    }
    const good = troubles.bugs.length === 0 && Object.values(breaches).every((found) => found.length === 0);
    if (!good) keepLog(stage, seed);
    return good;
  } finally {
    await stage.close();
  }
}

let good = 0;
const rounds = Number(values.rounds);
for (let number = 0; number < rounds; number += 1) if (await round(number)) good += 1;
say(`${String(good)} of ${String(rounds)} rounds without a breach`);
process.exit(good === rounds ? 0 : 1);
