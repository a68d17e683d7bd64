import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';

import { signalProcess } from './stop-process.ts';
import { endWithUs } from './watchdog.ts';

/** How to run a program as a child that this process answers for. */
export interface ChildOptions {
  /** Name in messages, e.g. `worker`. */
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Record<string, string>;
  readonly cwd?: string;
  /** Operating system user to run as (only root can choose). */
  readonly user?: { readonly uid: number; readonly gid: number } | undefined;
  /** Opens an IPC channel: a Node child sees its parent's end and can report that it is ready. */
  readonly ipc?: boolean;
  readonly onLine?: ((line: string) => void) | undefined;
  readonly onMessage?: (message: unknown) => void;
}

/** How a process ended: exit code, or the signal that ended it. */
export interface ChildExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A running child process. */
export interface Child {
  readonly name: string;
  readonly pid: number;
  readonly exited: Promise<ChildExit>;
  /** The last lines it wrote, oldest first. */
  readonly tail: () => readonly string[];
  signal(signal: NodeJS.Signals): void;
  /** Asks it to end; after the grace it is killed with all it started. */
  stop(graceMs: number, signal?: NodeJS.Signals): Promise<ChildExit>;
}

const TAIL_LINES = 40;

/** Children that still run: however this process ends, they end with it; after kill -9, only under a watchdog. */
const running = new Set<number>();
process.on('exit', () => running.forEach((pid) => killGroup(pid)));

/** Starts a child in its own process group, so that Ctrl-C reaches this process alone, which drains in order. */
export async function startChild(options: ChildOptions): Promise<Child> {
  const child = spawn(options.command, options.args, {
    env: options.env,
    cwd: options.cwd,
    detached: process.platform !== 'win32',
    stdio: ['ignore', 'pipe', 'pipe', ...(options.ipc === true ? (['ipc'] as const) : [])],
    ...options.user,
  });
  const lines = collectLines(child, options.onLine);
  const exited = exitOf(child);
  if (options.onMessage !== undefined) child.on('message', options.onMessage);
  await spawned(child, options);
  const pid = child.pid ?? 0;
  running.add(pid);
  const forget = endWithUs(pid);
  child.once('exit', () => {
    running.delete(pid);
    forget();
  });
  // Once it has been collected, its id may belong to another process.
  const signal = (name: NodeJS.Signals): void => {
    if (running.has(pid)) signalProcess(pid, name);
  };
  return {
    name: options.name,
    pid,
    exited,
    tail: () => lines,
    signal,
    stop: (graceMs, name) => stop(pid, exited, signal, graceMs, name),
  };
}

function spawned(child: ChildProcess, { name, command }: ChildOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    child.once('spawn', resolve);
    child.once('error', (error) => reject(new Error(`${name} cannot be started: ${command}: ${error.message}`)));
  });
}

/** Ends with the process, not with its pipes: something it started may keep those open. */
function exitOf(child: ChildProcess): Promise<ChildExit> {
  return new Promise((resolve) => {
    child.once('exit', (code, signal) => {
      const done = (): void => resolve({ code, signal });
      child.once('close', done);
      setTimeout(done, 250).unref();
    });
    child.on('error', () => undefined);
  });
}

function collectLines(child: ChildProcess, onLine: ((line: string) => void) | undefined): string[] {
  const lines: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    if (stream === null) continue;
    createInterface({ input: stream }).on('line', (line) => {
      lines.push(line);
      if (lines.length > TAIL_LINES) lines.shift();
      onLine?.(line);
    });
  }
  return lines;
}

async function stop(
  pid: number,
  exited: Promise<ChildExit>,
  signal: (name: NodeJS.Signals) => void,
  graceMs: number,
  name: NodeJS.Signals = 'SIGTERM',
): Promise<ChildExit> {
  signal(name);
  const timer = setTimeout(() => {
    if (running.has(pid)) killGroup(pid);
  }, graceMs);
  const exit = await exited;
  clearTimeout(timer);
  return exit;
}

function killGroup(pid: number): void {
  signalProcess(process.platform === 'win32' ? pid : -pid, 'SIGKILL');
}
