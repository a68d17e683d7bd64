import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { createInterface } from 'node:readline';

import { isAlive } from '../../platform/process-info.ts';
import { signalProcess } from '../../platform/stop-process.ts';
import { descendants } from '../../platform/process-tree.ts';

const root = path.resolve(import.meta.dirname, '../..');

/** A command of package.json, run as a user runs it. */
export interface Command {
  readonly pid: number;
  readonly lines: readonly string[];
  /** Resolves with the exit code, or the signal's name. */
  readonly ended: Promise<number | string>;
  /** The first line that matches; fails where the command ends without it. */
  line(pattern: RegExp): Promise<string>;
  /** Ids of every process below it. */
  tree(): number[];
  /** Ends it, and what is below it, whatever it does. */
  kill(): Promise<void>;
}

/** Starts `node scripts/bootstrap.mjs <args>` in the folder of the project. */
export function startCommand(args: readonly string[], env: Readonly<Record<string, string>>): Command {
  const child = spawn(process.execPath, ['scripts/bootstrap.mjs', ...args], {
    cwd: root,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const pid = child.pid ?? 0;
  const lines: string[] = [];
  for (const input of [child.stdout, child.stderr]) createInterface({ input }).on('line', (line) => lines.push(line));
  let over = false;
  const ended = once(child, 'close').then(([code, signal]: (number | string | null)[]) => {
    over = true;
    return code ?? signal ?? 'unknown';
  });
  return {
    pid,
    lines,
    ended,
    line: async (pattern) => {
      for (;;) {
        const found = lines.find((line) => pattern.test(line));
        if (found !== undefined) return found;
        if (over) throw new Error(`no line ${String(pattern)} in:\n${lines.join('\n')}`);
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    },
    tree: () => descendants(pid),
    kill: async () => {
      for (const one of [...descendants(pid), pid]) if (isAlive(one)) signalProcess(one, 'SIGKILL');
      await ended;
    },
  };
}
