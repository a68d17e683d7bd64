import { lifeOf } from './life.ts';
import { load, median } from './load.ts';
import type { BenchStack } from './stack.ts';

const LIVES = 150;
const ROUNDS = 4;

/** A process that stopped has closed connections that the next requests try to use: these lives may fail, and do not count. */
const settle = (life: () => Promise<void>): Promise<unknown> => load(40, 20, () => life().catch(() => undefined));

/** (g) Lives a second with two workers and two APIs, and with one of each, on the same servers. */
export async function benchScaleOut(bench: BenchStack): Promise<void> {
  const spare = [bench.workers[1], bench.apis[1]].filter((name) => name !== undefined);
  if (spare.length === 0) {
    console.log('This layout has one of each.');
    return;
  }
  const life = lifeOf(bench);
  const rates: Record<'one' | 'two', number[]> = { one: [], two: [] };
  await load(60, 20, life);
  for (let round = 0; round < ROUNDS; round += 1) {
    rates.two.push((await load(LIVES, 20, life)).rate);
    for (const name of spare) await bench.stack.kill(name, 'SIGTERM');
    await settle(life);
    rates.one.push((await load(LIVES, 20, life)).rate);
    for (const name of spare) await bench.stack.restart(name);
    await settle(life);
  }
  const [one, two] = [median(rates.one), median(rates.two)];
  console.log(`| of each | lives a second |\n| --- | --- |\n| 1 | ${one.toFixed(1)} |\n| 2 | ${two.toFixed(1)} |`);
  console.log(`\nratio ${(two / one).toFixed(2)}`);
}
