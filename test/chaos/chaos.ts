import { setTimeout as sleep } from 'node:timers/promises';

import { ADMINISTRATOR } from '../../cli/demo/cast.ts';
import { openInspector } from '../../temporal/inspect.ts';
import type { Inspector } from '../../temporal/inspect.ts';
import { newTroubles } from './caller.ts';
import type { Troubles } from './caller.ts';
import { chooseFault, cut, Restarts, strikeUntil } from './faults.ts';
import type { Fault } from './faults.ts';
import { breachesOf } from './invariants.ts';
import type { Breaches } from './invariants.ts';
import { listen } from './listener.ts';
import { randomOf } from './random.ts';
import type { Stage } from './stage.ts';
import { begin, crewOf, finish, RECIPIENT } from './work.ts';
import type { Flow } from './work.ts';

/** How much of what. */
export interface ChaosOptions {
  /** Pieces of work, all in flight when the faults begin. */
  readonly tasks: number;
  /** How long faults go on. */
  readonly seconds: number;
  /** How long the one long cut lasts, which comes first; 0 for none. */
  readonly longCutSeconds: number;
  readonly seed: number;
  readonly say: (line: string) => void;
}

/** What came of it. */
export interface ChaosReport {
  readonly faults: readonly string[];
  readonly breaches: Breaches;
  readonly troubles: Troubles;
  /** How often listeners had to come back. */
  readonly returns: number;
}

const AT_ONCE = 20;

/** Brings work in flight, breaks what it runs on for a while, lets it come to its end, and looks. */
export async function runChaos(stage: Stage, options: ChaosOptions): Promise<ChaosReport> {
  const { tasks, seconds, longCutSeconds, seed, say } = options;
  const random = randomOf(seed);
  const troubles = newTroubles();
  const crew = crewOf(stage, troubles);
  const listeners = [ADMINISTRATOR, RECIPIENT].map((name) => listen(stage.apiUrl, stage.key(name)));
  const numbers = Array.from({ length: tasks }, (_, n) => n + 1);
  say(`bringing ${String(tasks)} tasks with approvals in flight`);
  const flows = await inTurns(numbers, (n) => begin(crew, n));
  say(`breaking things for ${String(seconds)} s (seed ${String(seed)})`);
  const thinkMs = (seconds * 1_000) / 3;
  const work = goOn(flows, (flow) => finish(crew, flow, random, thinkMs));
  const faults = await breakThings(stage, random, { seconds, longCutSeconds, say });
  say('letting everything come to its end');
  await work;
  await sleep(2_000);
  const inspector = await inspectorOf(stage);
  const breaches = await breachesOf(stage, flows, { inspector, listeners }).finally(() => inspector.close());
  await Promise.all(listeners.map((listener) => listener.stop()));
  return { faults, breaches, troubles, returns: listeners.reduce((sum, listener) => sum + listener.returns(), 0) };
}

function inspectorOf({ stack, apiUrl, key }: Stage): Promise<Inspector> {
  const { temporalAddress: address, temporalNamespace: namespace } = stack.config;
  const codec = { endpoint: `${apiUrl}/codec`, authorization: () => Promise.resolve(`Bearer ${key(ADMINISTRATOR)}`) };
  return openInspector({ address, namespace }, codec);
}

async function breakThings(
  stage: Stage,
  random: ReturnType<typeof randomOf>,
  { seconds, longCutSeconds, say }: Pick<ChaosOptions, 'seconds' | 'longCutSeconds' | 'say'>,
): Promise<string[]> {
  const severity = { haltMs: Math.min(15_000, seconds * 100), cutMs: Math.min(20_000, seconds * 150) };
  const deadline = Date.now() + seconds * 1_000;
  const long: Fault | undefined =
    longCutSeconds > 0 ? cut(stage, random.pick([...stage.links.keys()]), longCutSeconds * 1_000) : undefined;
  const restarts = new Restarts(stage);
  const next = (): Fault => chooseFault(stage, restarts, random, severity);
  const longDone = long?.strike();
  if (long) say(long.what);
  const done = await strikeUntil(deadline, next, { restMs: 500, say });
  await longDone;
  await restarts.done();
  return long ? [long.what, ...done] : done;
}

/** All of them, so many at a time. */
async function inTurns<T, R>(all: readonly T[], work: (one: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  const queue = [...all];
  const runner = async (): Promise<void> => {
    for (let one = queue.shift(); one !== undefined; one = queue.shift()) results.push(await work(one));
  };
  await Promise.all(Array.from({ length: AT_ONCE }, runner));
  return results;
}

/** All at once: whoever waits for a person waits beside the others. */
async function goOn(flows: readonly Flow[], work: (flow: Flow) => Promise<void>): Promise<void> {
  const ends = await Promise.allSettled(flows.map(work));
  const failed = ends.flatMap((end) => (end.status === 'rejected' ? [String(end.reason)] : []));
  if (failed.length > 0)
    throw new Error(`${String(failed.length)} flows came to no end:\n${failed.slice(0, 10).join('\n')}`);
}
