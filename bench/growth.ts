import { setTimeout as sleep } from 'node:timers/promises';

import { clientOf } from './client.ts';
import { lifeOf } from './life.ts';
import { load, median, percentile } from './load.ts';
import { memoryOf } from './memory.ts';
import type { BenchStack } from './stack.ts';

const LIVES = 60;
const ROUNDS = 3;
const LISTS = 200;
const AT_ONCE = 20;

interface Cost {
  readonly open: number;
  readonly life: number;
  readonly list: number;
}

/** (d) What one more task and one list cost with ever more tasks that stay open. */
export async function benchGrowth(bench: BenchStack, sizes: readonly number[]): Promise<void> {
  const sender = clientOf(bench, 'finance-agent');
  const life = lifeOf(bench);
  const send = (): Promise<unknown> =>
    sender.post('/tasks/route', { target: 'legal', type: 'open', payload: { amount: 1 } });
  const list = (): Promise<unknown> => sender.get('/tasks?limit=50');
  await load(LIVES, 10, life);
  const costs: Cost[] = [];
  let open = 0;
  console.log('| open tasks | opened at | life, median | list, p50 | list, p95 |\n| --- | --- | --- | --- | --- |');
  for (const size of sizes) {
    const opened = await load(size - open, AT_ONCE, send);
    open = size;
    await sleep(10_000);
    const lives = [];
    for (let round = 0; round < ROUNDS; round += 1) lives.push(1_000 / (await load(LIVES, 10, life)).rate);
    const lists = await load(LISTS, 1, list);
    const cost = { open, life: median(lives), list: percentile(lists, 0.5) };
    costs.push(cost);
    console.log(
      `| ${size.toLocaleString('en')} | ${opened.rate.toFixed(0)}/s | ${cost.life.toFixed(1)} ms | ${cost.list.toFixed(1)} ms | ${percentile(lists, 0.95).toFixed(1)} ms |`,
    );
  }
  const [first, last] = [costs[0], costs.at(-1)];
  if (first && last)
    console.log(
      `\nmost against fewest: life ${(last.life / first.life).toFixed(2)}, list ${(last.list / first.list).toFixed(2)}`,
    );
  for (const name of [...bench.apis, ...bench.workers]) {
    const { now, peak } = memoryOf(bench.stack.pid(name));
    console.log(`${name}: ${now.toFixed(0)} MiB, at most ${peak.toFixed(0)} MiB`);
  }
}
