import { chmodSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';

import { startChild } from '../platform/child-process.ts';
import type { Child } from '../platform/child-process.ts';

const CLI_PACKAGE = 'github.com/temporalio/cli/cmd/temporal@v1.5.1';
const DOWNLOAD_HOST = 'https://temporal.download';
const REACH_HOST_MS = 4000;
const DOWNLOAD_MS = 180_000;
const BUILD_MS = 1_200_000;
const SIGN_OF_LIFE_MS = 10_000;

/** Lets the SDK download its server and moves it to the target; false where that is not possible. */
export async function downloadCli(target: string, say: (line: string) => void): Promise<boolean> {
  if (!(await canReach(DOWNLOAD_HOST))) return false;
  return inDraftFolder(target, async (folder) => {
    const script = path.join(import.meta.dirname, 'sdk-download.ts');
    await runLong({
      what: 'downloading the Temporal server',
      command: process.execPath,
      args: [script, folder],
      limitMs: DOWNLOAD_MS,
      say,
    });
    return readdirSync(folder).find((file) => file.startsWith('temporal'));
  });
}

/** Builds the CLI with Go and moves it to the target; false where there is no Go or it fails. */
export async function buildCli(target: string, say: (line: string) => void, go: string | undefined): Promise<boolean> {
  if (go === undefined) return false;
  return inDraftFolder(target, async (folder) => {
    const ended = await runLong({
      what: 'building the Temporal CLI with Go (once, about three minutes)',
      command: go,
      args: ['install', CLI_PACKAGE],
      env: { GOBIN: folder },
      limitMs: BUILD_MS,
      say,
    });
    return ended ? 'temporal' : undefined;
  });
}

async function canReach(host: string): Promise<boolean> {
  try {
    await fetch(host, { method: 'HEAD', signal: AbortSignal.timeout(REACH_HOST_MS) });
    return true;
  } catch {
    return false;
  }
}

/** The program appears at the target whole or not at all. */
async function inDraftFolder(target: string, make: (folder: string) => Promise<string | undefined>): Promise<boolean> {
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

interface LongRun {
  readonly what: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Record<string, string>;
  readonly limitMs: number;
  readonly say: (line: string) => void;
}

async function runLong({ what, command, args, env, limitMs, say }: LongRun): Promise<boolean> {
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
