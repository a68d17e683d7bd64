import { setTimeout as sleep } from 'node:timers/promises';

import { signalProcess } from '../../platform/stop-process.ts';
import { processTree } from '../../platform/process-tree.ts';
import type { Random } from './random.ts';
import type { Stage } from './stage.ts';

/** A fault, and how long it lasts. */
export interface Fault {
  readonly what: string;
  /** Breaks something, waits, mends it. */
  strike(): Promise<void>;
}

/** How long the longest halt and cut of a run last, in milliseconds. */
export interface Severity {
  readonly haltMs: number;
  readonly cutMs: number;
}

/** Parts that are being started again; other faults go on meanwhile. */
export class Restarts {
  readonly #running = new Map<string, Promise<void>>();
  readonly #stage: Stage;

  constructor(stage: Stage) {
    this.#stage = stage;
  }

  /** Parts that run. */
  get up(): readonly string[] {
    return this.#stage.parts.filter((part) => !this.#running.has(part));
  }

  /** Starts a part until it runs, as a process manager does: it may not start while what it needs is away. */
  begin(part: string, afterMs: number): void {
    const restarted = (async () => {
      await sleep(afterMs);
      const deadline = Date.now() + RESTART_WITHIN_MS;
      while (!(await this.#starts(part, deadline))) await sleep(RESTART_PAUSE_MS);
    })();
    this.#running.set(
      part,
      restarted.finally(() => this.#running.delete(part)),
    );
  }

  async done(): Promise<void> {
    await Promise.all(this.#running.values());
  }

  async #starts(part: string, deadline: number): Promise<boolean> {
    try {
      await this.#stage.stack.restart(part);
      return true;
    } catch (error) {
      if (Date.now() > deadline) throw error;
      return false;
    }
  }
}

const RESTART_WITHIN_MS = 300_000;
const RESTART_PAUSE_MS = 500;

/** Ended hard and started again after a moment. */
const kill = (stage: Stage, restarts: Restarts, part: string, downMs: number): Fault => ({
  what: `kill -9 ${part}, down for ${String(downMs)} ms`,
  strike: async () => {
    await stage.stack.kill(part);
    restarts.begin(part, downMs);
  },
});

/** Halted with all it started: it knows nothing of the time that passes. */
const halt = (stage: Stage, part: string, forMs: number): Fault => ({
  what: `SIGSTOP ${part} for ${String(forMs)} ms`,
  strike: async () => {
    const pids = processTree(stage.stack.pid(part));
    for (const pid of pids) signalProcess(pid, 'SIGSTOP');
    await sleep(forMs);
    for (const pid of pids) signalProcess(pid, 'SIGCONT');
  },
});

/** Nothing goes through a link, and nobody is told. */
export const cut = (stage: Stage, link: string, forMs: number): Fault => ({
  what: `cut ${link} for ${String(forMs)} ms`,
  strike: async () => {
    stage.links.get(link)?.cut();
    await sleep(forMs);
    stage.links.get(link)?.mend();
  },
});

/** Everything on a link takes longer. */
const slow = (stage: Stage, link: string, byMs: number, forMs: number): Fault => ({
  what: `delay ${link} by ${String(byMs)} ms for ${String(forMs)} ms`,
  strike: async () => {
    stage.links.get(link)?.delay(byMs);
    await sleep(forMs);
    stage.links.get(link)?.delay(0);
  },
});

/** A fault by chance; one of a link where no part runs that could be hurt. */
export function chooseFault(stage: Stage, restarts: Restarts, random: Random, { haltMs, cutMs }: Severity): Fault {
  const link = random.pick([...stage.links.keys()]);
  const some = (most: number): number => Math.round(most / 4 + random.below((most * 3) / 4));
  const ofLinks = [() => cut(stage, link, some(cutMs)), () => slow(stage, link, 20 + random.below(200), some(haltMs))];
  if (restarts.up.length === 0) return random.pick(ofLinks)();
  const part = random.pick(restarts.up);
  return random.pick([
    ...ofLinks,
    () => kill(stage, restarts, part, random.below(1_500)),
    () => kill(stage, restarts, part, 0),
    () => halt(stage, part, some(haltMs)),
  ])();
}

/** Strikes one fault after the other until the time is over; answers what was done. */
export async function strikeUntil(
  deadline: number,
  next: () => Fault,
  { restMs, say }: { readonly restMs: number; readonly say: (line: string) => void },
): Promise<string[]> {
  const done: string[] = [];
  while (Date.now() < deadline) {
    const fault = next();
    say(fault.what);
    done.push(fault.what);
    await fault.strike();
    await sleep(restMs);
  }
  return done;
}
