import { waitForEnd } from './process-info.ts';

/** One step of stopping a process that is not our child: the signal and how long it may take effect. */
export type StopStep = readonly [signal: NodeJS.Signals, waitMs: number];

/** Sends one signal after another until the process has ended; throws when none helped. */
export async function stopProcess(pid: number, steps: readonly StopStep[]): Promise<void> {
  for (const [signal, waitMs] of steps) {
    signalProcess(pid, signal);
    if (await waitForEnd(pid, waitMs)) return;
  }
  throw new Error(`Process ${String(pid)} does not end; stop it by hand and start again.`);
}

/** Sends a signal; a process that has just ended is no fault. */
export function signalProcess(pid: number, signal: NodeJS.Signals): boolean {
  try {
    process.kill(pid, signal);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
    throw error;
  }
}
