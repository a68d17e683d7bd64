import { setTimeout as sleep } from 'node:timers/promises';

import test from 'ava';

import { listApprovals } from '../../contracts/approvals.ts';
import { listAudit } from '../../contracts/audit.ts';
import { listTasks } from '../../contracts/tasks.ts';
import { ADMINISTRATOR, openCast } from '../../cli/demo/cast.ts';
import { play } from '../../cli/demo/play.ts';
import type { Stack } from '../../cli/stack/stack.ts';
import { startScenarioStack } from '../support/scenario-stack.ts';

/** In which step of the expense scenario which part is killed. */
const FAULTS: Readonly<Record<string, string>> = {
  'claims it': 'worker',
  'asks for an approval under the policy "spend"': 'api',
  'approves $12600 instead': 'temporal',
  'completes the task': 'postgres',
  'notifies Owen Tashiro': 'api',
};

/** When the part dies: before the call, or so many milliseconds after it was sent. */
const ROUNDS = ['before', 10] as const;

/** Kills parts around a step and starts them again while its call waits. */
class Faults {
  readonly killed: string[] = [];
  readonly #stack: Stack;
  readonly #when: (typeof ROUNDS)[number];
  readonly #restarts: Promise<void>[] = [];

  constructor(stack: Stack, when: (typeof ROUNDS)[number]) {
    this.#stack = stack;
    this.#when = when;
  }

  async strike(step: string): Promise<void> {
    const part = FAULTS[step];
    if (part === undefined) return;
    const dead = this.#kill(part);
    this.#restarts.push(dead.then(() => this.#stack.restart(part)));
    if (this.#when === 'before') await dead;
  }

  async settled(): Promise<void> {
    await Promise.all(this.#restarts);
  }

  async #kill(part: string): Promise<void> {
    if (this.#when !== 'before') await sleep(this.#when);
    await this.#stack.kill(part);
    this.killed.push(part);
  }
}

/** What happens once for every claim, whatever is killed. */
const ONCE = [
  'approval.decided',
  'approval.redeemed',
  'approval.requested',
  'task.claimed',
  'task.completed',
  'task.progressed',
  'task.sent',
];

test('TASK-7, X-8, OPS-5: kill -9 of worker, API, Temporal and Postgres in mid-scenario: same result, nothing twice', async (t) => {
  t.timeout(300_000);
  const { stack, place, close } = await startScenarioStack({ supervise: false });
  t.teardown(close);
  // The extension repeats a call with its idempotency key while a part is started again.
  const cast = await openCast({ ...place, agentEnv: { MESH_RETRY_COUNT: '10' } });
  t.teardown(() => cast.close());
  const administrator = cast.person(ADMINISTRATOR);

  for (const when of ROUNDS) {
    const said: string[] = [`killed: ${String(when)}`];
    const faults = new Faults(stack, when);
    const checks = await play(cast, ['expense'], {
      say: (line) => said.push(line),
      onStep: (step) => faults.strike(step),
    });
    await faults.settled();
    t.deepEqual(checks.failed, [], said.join('\n'));
    t.deepEqual(faults.killed, Object.values(FAULTS));
  }

  const { tasks } = await administrator.call(listTasks, {});
  t.deepEqual(
    tasks.map(({ status }) => status),
    ROUNDS.map(() => 'completed'),
  );
  const { approvals } = await administrator.call(listApprovals, {});
  t.deepEqual(approvals.map(({ task_id }) => task_id).sort(), tasks.map(({ id }) => id).sort());
  for (const { id } of tasks) {
    const { events } = await administrator.call(listAudit, { limit: 200 });
    const told = events
      .filter(({ task_id, outcome }) => task_id === id && outcome === 'ok')
      .map(({ action }) => action);
    t.deepEqual(told.filter((action) => ONCE.includes(action)).sort(), ONCE, id);
  }
});
