// npm test [-- unit|integration|e2e|<files>] [--match <title>]: runs the stages in order; the last line has the counts.
import path from 'node:path';

import { configureShutdown, onShutdown } from '../platform/shutdown.ts';
import { environmentOf } from '../test/support/environment.ts';
import { startAva } from './testing/ava.ts';
import type { RunningAva } from './testing/ava.ts';
import { StageReport } from './testing/report.ts';
import { startServers } from './testing/servers.ts';
import type { RunningServers } from './testing/servers.ts';
import { planOf, STAGES } from './testing/stages.ts';
import type { Plan, Stage } from './testing/stages.ts';
import { summaryOf, sumOf } from './testing/tap.ts';
import type { Counts } from './testing/tap.ts';

const root = path.resolve(import.meta.dirname, '..');
const STOP_WITHIN_MS = 30_000;
const CRASHED: Counts = { passed: 0, failed: 1, skipped: 0 };

const print = (line: string): void => void process.stdout.write(`${line}\n`);

/** What runs at the moment, for whoever has to stop it. */
const running: { ava?: RunningAva | undefined; servers?: Promise<RunningServers> } = {};

async function stopAll(): Promise<void> {
  await running.ava?.stop();
  const servers = await running.servers?.catch(() => undefined);
  await servers?.stop();
}

async function serversFor(stage: Stage): Promise<Record<string, string>> {
  if (stage === 'unit') return {};
  if (running.servers === undefined) print('starting Postgres and Temporal for the tests');
  running.servers ??= startServers((line) => print(`  ${line}`));
  return environmentOf(await running.servers);
}

async function runStage(stage: Stage, { files, options }: Plan): Promise<Counts> {
  const started = Date.now();
  try {
    const env = await serversFor(stage);
    print(`${stage}: ${String(files[stage].length)} files`);
    const report = new StageReport(stage, print);
    running.ava = startAva({ root, files: files[stage], options, env, onResult: (result) => report.result(result) });
    const counts = await running.ava.done;
    print(`${stage}: ${summaryOf(counts)} in ${String(Math.round((Date.now() - started) / 1000))} s`);
    return counts;
  } catch (error) {
    print(`${stage}: could not run: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
    return CRASHED;
  } finally {
    running.ava = undefined;
  }
}

async function main(args: readonly string[]): Promise<number> {
  const plan = planOf(root, args);
  const all: Counts[] = [];
  for (const stage of STAGES) if (plan.files[stage].length > 0) all.push(await runStage(stage, plan));
  const stopped = await stopAll().then(
    () => true,
    (error: unknown) => print(`the servers could not be stopped: ${String(error)}`),
  );
  const counts = sumOf(stopped === true ? all : [...all, CRASHED]);
  if (counts.passed + counts.failed === 0) print('no test ran');
  print(summaryOf(counts));
  return counts.failed > 0 || counts.passed === 0 ? 1 : 0;
}

// Nothing that a test starts may outlive the run, even when it is killed with -9: whoever starts children reads this.
process.env['SWITCHBOARD_TEST_WATCHDOG'] ??= 'true';
configureShutdown({ graceMs: STOP_WITHIN_MS, log: { info: () => undefined, error: () => undefined } });
onShutdown('tests', async () => {
  await stopAll();
  print('interrupted: the tests did not finish');
  process.exit(130);
});
try {
  process.exit(await main(process.argv.slice(2)));
} catch (error) {
  print(error instanceof Error ? error.message : String(error));
  print(summaryOf(CRASHED));
  process.exit(1);
}
