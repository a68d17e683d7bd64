import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

import test from 'ava';
import type { ExecutionContext } from 'ava';

import { commandLine, isAlive } from '../../../platform/process-info.ts';
import { signalProcess } from '../../../platform/stop-process.ts';
import { descendants } from '../../../platform/process-tree.ts';
import { eventually } from '../../support/rest.ts';
import { startCommand } from '../../support/scenario-program.ts';
import type { Command } from '../../support/scenario-program.ts';

/** A test that starts a whole stack: Postgres and Temporal of its own, and two processes. */
const STARTS_EVERYTHING = ['test/integration/platform/start.test.ts', '--match', 'X-8: start runs every part*'];
const GONE_WITHIN_MS = 10_000;
const has = (pids: readonly number[], part: string): number | undefined =>
  pids.find((pid) => commandLine(pid)?.includes(part));

/** A run of tests in the middle of its work: every process below it, and those of the test. */
async function runUnderWay(
  t: ExecutionContext,
): Promise<{ run: Command; pids: number[]; runner: number; ava: number }> {
  const run = startCommand(['scripts/test.ts', ...STARTS_EVERYTHING], { SWITCHBOARD_TEST_WATCHDOG: 'true' });
  t.teardown(() => run.kill());
  const pids = await eventually(
    () => Promise.resolve(descendants(run.pid)),
    (now) => now.filter((pid) => commandLine(pid)?.includes('stand-in.ts')).length === 2,
    120_000,
  );
  const [runner, ava] = [has(pids, 'scripts/test.ts') ?? run.pid, has(pids, 'ava-main.ts') ?? 0];
  t.true(ava > 0);
  return { run, pids: [...descendants(run.pid), run.pid], runner, ava };
}

const gone = async (pids: readonly number[]): Promise<string[]> => {
  const deadline = Date.now() + GONE_WITHIN_MS;
  const alive = (): number[] => pids.filter(isAlive);
  while (alive().length > 0 && Date.now() < deadline) await sleep(100);
  return alive().map((pid) => `${String(pid)} ${commandLine(pid)?.slice(0, 120) ?? ''}`);
};

// Needs /proc to find every process.
const onLinux = existsSync('/proc/self') ? test.serial : test.serial.skip;

onLinux('X-8: nothing that a test started lives on when the run is killed with -9', async (t) => {
  t.timeout(240_000);
  const { run, pids, runner } = await runUnderWay(t);
  for (const pid of [run.pid, runner]) signalProcess(pid, 'SIGKILL');
  t.deepEqual(await gone(pids), []);
});

onLinux(
  'X-8: nothing that a test started lives on when AVA is killed with -9, and the run says that it failed',
  async (t) => {
    t.timeout(240_000);
    const { run, pids, ava } = await runUnderWay(t);
    signalProcess(ava, 'SIGKILL');
    t.is(await run.ended, 1);
    t.regex(run.lines.at(-1) ?? '', /, 1 failed$/);
    t.deepEqual(await gone(pids), []);
  },
);
