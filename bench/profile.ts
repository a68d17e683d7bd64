import { cpuOf } from './cpu.ts';
import { startFloor } from './floor/floor.ts';
import { lifeOf } from './life.ts';
import { load, median } from './load.ts';
import type { BenchStack } from './stack.ts';

const LIVES = 150;
const ROUNDS = 5;

/** Where a life's time goes: CPU milliseconds of each process, for the bare SDK and for the product. */
export async function benchProfile(bench: BenchStack): Promise<void> {
  const floor = await startFloor(bench.stack.config, bench.workers.length);
  const pid = (name: string): number => bench.stack.pid(name);
  const pids: Record<string, number> = {
    postgres: pid('postgres'),
    temporal: pid('temporal'),
    ...Object.fromEntries([...bench.workers, ...bench.apis].map((name) => [name, pid(name)])),
    ...Object.fromEntries(floor.pids.map((one, index) => [`bare worker ${String(index + 1)}`, one])),
  };
  const work = { 'bare SDK': floor.life, product: lifeOf(bench) };
  const spent = new Map<string, number[]>();
  const note = (key: string, value: number): void => void spent.set(key, [...(spent.get(key) ?? []), value]);
  for (const life of Object.values(work)) await load(60, 10, life);
  for (let round = 0; round < ROUNDS; round += 1)
    for (const [name, life] of Object.entries(work)) {
      const [before, own] = [cpuOf(pids), process.cpuUsage()];
      await load(LIVES, 10, life);
      const [after, used] = [cpuOf(pids), process.cpuUsage(own)];
      for (const key of Object.keys(pids)) note(`${name}|${key}`, ((after[key] ?? 0) - (before[key] ?? 0)) / LIVES);
      note(`${name}|client`, (used.user + used.system) / 1_000 / LIVES);
    }
  await floor.close();
  console.log('| CPU ms a life | bare SDK | product |\n| --- | --- | --- |');
  const totals: Record<string, number> = {};
  for (const key of [...Object.keys(pids), 'client']) {
    const cells = Object.keys(work).map((name) => {
      const value = median(spent.get(`${name}|${key}`) ?? []);
      totals[name] = (totals[name] ?? 0) + value;
      return value.toFixed(1);
    });
    console.log(`| ${key} | ${cells.join(' | ')} |`);
  }
  console.log(
    `| **all** | ${Object.keys(work)
      .map((name) => (totals[name] ?? 0).toFixed(1))
      .join(' | ')} |`,
  );
}
