import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import path from 'node:path';
import { createInterface } from 'node:readline';

import { endWithUs } from '../../platform/watchdog.ts';
import { TapReader } from './tap.ts';
import type { Counts, TapResult } from './tap.ts';

/** One run of AVA. */
export interface AvaRun {
  readonly root: string;
  readonly files: readonly string[];
  readonly options: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly onResult: (result: TapResult) => void;
}

const STOP_WITHIN_MS = 5_000;

/** A run under way. */
export interface RunningAva {
  readonly done: Promise<Counts>;
  stop(): Promise<void>;
}

/** Runs AVA over the files, in a process group of its own, so that a stop reaches its workers too. */
export function startAva({ root, files, options, env, onResult }: AvaRun): RunningAva {
  const program = path.join(import.meta.dirname, 'ava-main.ts');
  const child = spawn(process.execPath, [program, '--tap', ...options, ...files], {
    cwd: root,
    env: { ...process.env, ...env },
    // Standard error carries what tests print; it goes through as it is.
    stdio: ['ignore', 'pipe', 'inherit'],
    detached: process.platform !== 'win32',
  });
  const killGroup = (): void => signalGroup(child, 'SIGKILL');
  process.once('exit', killGroup);
  const forget = child.pid === undefined ? () => undefined : endWithUs(child.pid);
  // Killed itself, it leaves its workers.
  child.once('exit', killGroup);
  const done = countsOf(child, onResult).finally(() => {
    process.off('exit', killGroup);
    forget();
  });
  return { done, stop: () => stop(child, done) };
}

function countsOf(child: ChildProcess, onResult: AvaRun['onResult']): Promise<Counts> {
  const reader = new TapReader(onResult);
  if (child.stdout) createInterface({ input: child.stdout }).on('line', (line) => reader.line(line));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve(reader.end(code)));
  });
}

async function stop(child: ChildProcess, done: Promise<Counts>): Promise<void> {
  signalGroup(child, 'SIGTERM');
  const timer = setTimeout(() => signalGroup(child, 'SIGKILL'), STOP_WITHIN_MS);
  await done.catch(() => undefined);
  clearTimeout(timer);
}

function signalGroup({ pid }: ChildProcess, signal: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(process.platform === 'win32' ? pid : -pid, signal);
  } catch {
    // It has ended already.
  }
}
