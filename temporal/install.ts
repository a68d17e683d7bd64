import { chmodSync, existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { startChild } from '../platform/child-process.ts';
import type { Child } from '../platform/child-process.ts';
import { acquireLock, LockHeldError } from '../platform/lock-file.ts';
import type { Lock } from '../platform/lock-file.ts';

const SIGN_OF_LIFE_MS = 10_000;

/** Tells the user what takes long. */
export type Say = (line: string) => void;

/** One process installs a program at the target, the others wait for it; answers whether it is there. */
export async function installOnce(target: string, make: () => Promise<boolean>, say: Say): Promise<boolean> {
  mkdirSync(path.dirname(target), { recursive: true });
  const lock = await waitForLock(`${target}.lock`, say);
  try {
    return existsSync(target) || (await make());
  } finally {
    lock.release();
  }
}

/** Makes a program in a folder of its own and moves it: it appears at the target whole or not at all. */
export async function inDraftFolder(
  target: string,
  make: (folder: string) => Promise<string | undefined>,
): Promise<boolean> {
  const folder = mkdtempSync(`${target}-draft-`);
  try {
    const file = await make(folder);
    if (file === undefined) return false;
    chmodSync(path.join(folder, file), 0o755);
    renameSync(path.join(folder, file), target);
    return true;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A command that takes minutes, with what to tell the user meanwhile. */
export interface LongRun {
  readonly what: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Record<string, string>;
  readonly limitMs: number;
  readonly say: (line: string) => void;
}

/** Runs it, showing that it lives; false, with the reason said, where it fails. */
export async function runLong({ what, command, args, env, limitMs, say }: LongRun): Promise<boolean> {
  say(what);
  const started = Date.now();
  const child = await startChild({ name: what, command, args, env: { ...definedEnvironment(), ...env } });
  const alive = setInterval(() => say(`… ${String(Math.round((Date.now() - started) / 1000))} s`), SIGN_OF_LIFE_MS);
  const limit = setTimeout(() => void child.stop(1000), limitMs);
  const { code } = await child.exited;
  clearInterval(alive);
  clearTimeout(limit);
  if (code !== 0) say(`${what}: failed: ${lastLine(child)}`);
  return code === 0;
}

const lastLine = (child: Child): string => child.tail().at(-1) ?? 'no reason given';

function definedEnvironment(): Record<string, string> {
  return Object.fromEntries(
    Object.entries(process.env).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}

async function waitForLock(file: string, say: Say): Promise<Lock> {
  for (let waited = 0; ; waited += 1) {
    try {
      return acquireLock(file);
    } catch (error) {
      if (!(error instanceof LockHeldError)) throw error;
      if (waited % 20 === 0) say(`waiting for process ${String(error.pid)}, which is installing Temporal`);
      await sleep(500);
    }
  }
}
