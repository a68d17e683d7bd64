import type { Logger } from './log.ts';

/** One thing to stop; it may take its time, within the grace of the whole. */
export type StopStep = () => Promise<void> | void;

interface Step {
  readonly name: string;
  readonly stop: StopStep;
}

/** A terminal, npm and the starting script each pass the same Ctrl-C on: within this time they are one. */
const SAME_SIGNAL_MS = 1000;

const steps: Step[] = [];
const settings: { graceMs: number; log: Pick<Logger, 'info' | 'error'> | undefined } = {
  graceMs: 15_000,
  log: undefined,
};
let installed = false;
let stopping: { readonly since: number; readonly done: Promise<void> } | undefined;

/** Sets the deadline of the whole stop and who hears of it; a process calls it once at its start. */
export function configureShutdown(options: { graceMs: number; log: Pick<Logger, 'info' | 'error'> }): void {
  Object.assign(settings, options);
}

/**
 * Registers what must stop before this process ends on SIGTERM, SIGINT, SIGHUP or its parent's end. What was
 * registered last stops first. Answers a function that takes the registration back.
 */
export function onShutdown(name: string, stop: StopStep): () => void {
  if (!installed) install();
  const step = { name, stop };
  steps.push(step);
  return () => {
    const at = steps.indexOf(step);
    if (at >= 0) steps.splice(at, 1);
  };
}

/** Stops everything in order, then ends the process with this code (1 where a step failed or time ran out). */
export function shutdown(reason: string, exitCode = 0): Promise<void> {
  stopping ??= { since: Date.now(), done: run(reason, exitCode) };
  return stopping.done;
}

function install(): void {
  installed = true;
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => onSignal(signal));
  if (process.channel !== undefined) {
    process.once('disconnect', () => void shutdown('the starting process ended'));
    // The channel alone must not keep a process alive that has nothing left to do.
    process.channel.unref();
  } else if (process.env['SWITCHBOARD_PARENT'] === '1') {
    process.stdin.on('end', () => void shutdown('the starting process ended')).resume();
    process.stdin.on('error', () => void shutdown('the starting process ended'));
  }
}

function onSignal(signal: NodeJS.Signals): void {
  if (stopping !== undefined && Date.now() - stopping.since > SAME_SIGNAL_MS) {
    settings.log?.error({ signal }, 'second signal: ending at once');
    process.exit(130);
  }
  void shutdown(signal);
}

async function run(reason: string, exitCode: number): Promise<void> {
  settings.log?.info({ reason }, 'stopping');
  const state = { at: '', failed: false };
  const deadline = setTimeout(() => {
    settings.log?.error({ step: state.at }, `still stopping after ${String(settings.graceMs)} ms: ending at once`);
    process.exit(1);
  }, settings.graceMs);
  while (steps.length > 0) await runStep(steps.pop(), state);
  clearTimeout(deadline);
  process.exit(state.failed && exitCode === 0 ? 1 : exitCode);
}

async function runStep(step: Step | undefined, state: { at: string; failed: boolean }): Promise<void> {
  if (step === undefined) return;
  state.at = step.name;
  try {
    await step.stop();
  } catch (error) {
    state.failed = true;
    settings.log?.error({ err: error, step: step.name }, 'could not be stopped in order');
  }
}
