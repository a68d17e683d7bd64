import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';

import { processIdentity } from './process-info.ts';

/** A lock that is held until it is released or its process ends. */
export interface Lock {
  /** Whether an earlier holder ended without releasing it. */
  readonly recovered: boolean;
  release(): void;
}

interface Holder {
  readonly pid: number;
  readonly identity: string | undefined;
  readonly since: string;
}

/** Somebody else holds the lock: a live process, named by `pid`. */
export class LockHeldError extends Error {
  readonly pid: number;
  constructor(file: string, { pid, since }: Holder) {
    super(`${file} is held by process ${String(pid)} since ${since}`);
    this.name = 'LockHeldError';
    this.pid = pid;
  }
}

/** Takes the lock or throws LockHeldError; one left by a process that has ended is taken over. */
export function acquireLock(file: string): Lock {
  mkdirSync(path.dirname(file), { recursive: true });
  const own = JSON.stringify({
    pid: process.pid,
    identity: processIdentity(process.pid),
    since: new Date().toISOString(),
  });
  let recovered = false;
  while (!createWhole(file, own)) {
    removeStale(file);
    recovered = true;
  }
  return {
    recovered,
    release() {
      if (read(file) === own) rmSync(file, { force: true });
    },
  };
}

/** Creates the file with all of its content or not at all: nobody ever reads half a lock. */
function createWhole(file: string, content: string): boolean {
  const draft = `${file}.${String(process.pid)}`;
  writeFileSync(draft, content, { mode: 0o644 });
  try {
    linkSync(draft, file);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  } finally {
    rmSync(draft, { force: true });
  }
}

function removeStale(file: string): void {
  const content = read(file);
  if (content === undefined) return;
  const holder = parse(content);
  if (holder !== undefined && isHolding(holder)) throw new LockHeldError(file, holder);
  const aside = `${file}.stale-${String(process.pid)}`;
  try {
    renameSync(file, aside);
    // Between the look and the move somebody else may have taken the lock over: give it back.
    if (read(aside) !== content) linkSync(aside, file);
  } catch (error) {
    if (!['ENOENT', 'EEXIST'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
  } finally {
    rmSync(aside, { force: true });
  }
}

function isHolding({ pid, identity }: Holder): boolean {
  const alive = processIdentity(pid);
  return alive !== undefined && (identity === undefined || identity === alive);
}

function parse(content: string): Holder | undefined {
  try {
    const holder = JSON.parse(content) as Holder;
    return typeof holder.pid === 'number' ? holder : undefined;
  } catch {
    return undefined;
  }
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
