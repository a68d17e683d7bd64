import { setTimeout as sleep } from 'node:timers/promises';

import pg from 'pg';

import { processTree } from '../platform/process-tree.ts';
import { lifeOf } from './life.ts';
import { load, median } from './load.ts';
import { memoryOf, proportionalMemoryOf } from './memory.ts';
import type { BenchStack } from './stack.ts';

const SAMPLE_MS = 10_000;
/** Processes fill their caches and heaps first. */
const WARM_UP_SHARE = 0.25;
/** What counts as flat: last quarter against the first one after the warm-up. */
const FLAT = 0.05;

/** One look at everything. */
interface Sample {
  readonly minute: number;
  /** MiB by process, with all that it started. */
  readonly memory: Readonly<Record<string, number>>;
  readonly connections: number;
  /** Lives begun and not ended. */
  readonly inFlight: number;
}

/** What came of it. */
export interface Soak {
  readonly lives: number;
  readonly failed: readonly string[];
  /** Growth of each process after the warm-up: 0.05 is 5 %. */
  readonly growth: Readonly<Record<string, number>>;
  readonly connections: readonly number[];
  readonly inFlight: readonly number[];
  /** For people, in Markdown. */
  readonly text: string;
}

/** Whether memory stays as it is. */
export const isFlat = ({ growth }: Soak): boolean => Object.values(growth).every((change) => change <= FLAT);

/** Lives at half the rate that saturates, for so long. */
export async function soak(bench: BenchStack, minutes: number): Promise<Soak> {
  const life = lifeOf(bench);
  await load(60, 20, life);
  const saturated = (await load(200, 20, life)).rate;
  const sql = new pg.Client({ connectionString: bench.stack.config.databaseOwnerUrl });
  await sql.connect();
  const work = startWork(life, saturated / 2);
  const samples: Sample[] = [];
  const started = Date.now();
  while (Date.now() - started < minutes * 60_000) {
    await sleep(SAMPLE_MS);
    samples.push(await look(bench, sql, { started, inFlight: work.inFlight() }));
  }
  await work.stop();
  await sql.end();
  const title = `Saturated at ${saturated.toFixed(1)} lives a second; half of that for ${String(minutes)} min.\n`;
  return resultOf(samples, { minutes, title, lives: work.done(), failed: work.failed() });
}

/** Prints a soak; answers whether memory stayed as it was and nothing failed. */
export async function benchSoak(bench: BenchStack, minutes: number): Promise<boolean> {
  const result = await soak(bench, minutes);
  console.log(result.text);
  console.log(`\n${String(result.lives)} lives, ${String(result.failed.length)} failed`, result.failed.slice(0, 3));
  return isFlat(result) && result.failed.length === 0;
}

/** An open loop: the next life begins when its time has come, however long the others take. */
function startWork(life: () => Promise<void>, rate: number) {
  const failures: string[] = [];
  const running = new Set<Promise<void>>();
  let done = 0;
  const begin = (): void => {
    const one = life()
      .then(() => void (done += 1))
      .catch((error: unknown) => void failures.push(String(error).slice(0, 200)))
      .finally(() => running.delete(one));
    running.add(one);
  };
  const timer = setInterval(begin, 1_000 / rate);
  return {
    inFlight: () => running.size,
    done: () => done,
    failed: () => failures,
    stop: async () => {
      clearInterval(timer);
      await Promise.all(running);
    },
  };
}

async function look(
  { stack, workers, apis }: BenchStack,
  sql: pg.Client,
  { started, inFlight }: { readonly started: number; readonly inFlight: number },
): Promise<Sample> {
  const names = [...workers, ...apis, 'mcp', 'temporal'];
  const memory = Object.fromEntries(names.map((name) => [name, memoryOf(stack.pid(name)).now]));
  const { rows } = await sql.query<{ count: number }>(
    'SELECT count(*)::int FROM pg_stat_activity WHERE datname IS NOT NULL',
  );
  return {
    minute: (Date.now() - started) / 60_000,
    memory: { ...memory, postgres: sharedMemory(stack.pid('postgres')) },
    connections: rows[0]?.count ?? 0,
    inFlight,
  };
}

/** Shared buffers are counted in every process of Postgres; proportional sizes count them once. */
const sharedMemory = (pid: number): number => processTree(pid).reduce((sum, one) => sum + proportionalMemoryOf(one), 0);

function resultOf(
  samples: readonly Sample[],
  { minutes, title, lives, failed }: { minutes: number; title: string; lives: number; failed: readonly string[] },
): Soak {
  const steady = samples.filter(({ minute }) => minute > minutes * WARM_UP_SHARE);
  const quarter = Math.max(1, Math.floor(steady.length / 4));
  const [first, last] = [steady.slice(0, quarter), steady.slice(-quarter)];
  const lines = [title, '| process | after warm-up | at the end | change |', '| --- | --- | --- | --- |'];
  const growth: Record<string, number> = {};
  for (const name of Object.keys(samples[0]?.memory ?? {})) {
    const of = (part: readonly Sample[]): number => median(part.map(({ memory }) => memory[name] ?? 0));
    const change = of(last) / of(first) - 1;
    growth[name] = change;
    lines.push(
      `| ${name} | ${of(first).toFixed(0)} MiB | ${of(last).toFixed(0)} MiB | ${(change * 100).toFixed(1)} % |`,
    );
  }
  const connections = steady.map((sample) => sample.connections);
  const inFlight = steady.map((sample) => sample.inFlight);
  const range = (values: readonly number[]): string =>
    `${String(Math.min(...values))} to ${String(Math.max(...values))}`;
  lines.push('', `Connections: ${range(connections)}. Lives in flight: ${range(inFlight)}.`, '');
  lines.push(chart(samples, Object.keys(growth)));
  return { lives, failed, growth, connections, inFlight, text: lines.join('\n') };
}

const POINTS = 30;

/** The curve, as a chart that the documentation shows. */
function chart(samples: readonly Sample[], names: readonly string[]): string {
  const step = Math.max(1, Math.floor(samples.length / POINTS));
  const points = samples.filter((_, at) => at % step === 0);
  const lines = names.map(
    (name) => `  line [${points.map(({ memory }) => (memory[name] ?? 0).toFixed(0)).join(', ')}]`,
  );
  return [
    '```mermaid',
    'xychart-beta',
    `  title "MiB of ${names.join(', ')}"`,
    `  x-axis "minutes" [${points.map(({ minute }) => minute.toFixed(0)).join(', ')}]`,
    ...lines,
    '```',
  ].join('\n');
}
