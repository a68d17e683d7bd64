import { spawn } from 'node:child_process';
import path from 'node:path';
import { createInterface } from 'node:readline';

import { signalProcess } from '../../../../platform/stop-process.ts';

/** A program of `support/programs`, run as a process of its own. */
export interface Program {
  readonly pid: number;
  readonly lines: string[];
  /** Exit code, or the signal's name. */
  readonly ended: Promise<number | string>;
  /** Ends its standard input, as when the process that started it is gone. */
  closeInput(): void;
  /** Waits for a line that matches and answers it. */
  line(pattern: RegExp): Promise<string>;
}

/** Starts a program; it ends with the test at the latest. */
export function runProgram(
  t: { teardown(clean: () => Promise<void>): void },
  name: string,
  args: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
): Program {
  const script = path.join(import.meta.dirname, 'programs', name);
  const child = spawn(process.execPath, [script, ...args], {
    env: { ...process.env, ...env },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const lines: string[] = [];
  const waiting = new Set<() => void>();
  const wake = (): void => waiting.forEach((check) => check());
  const hear = (line: string): void => {
    lines.push(line);
    wake();
  };
  for (const input of [child.stdout, child.stderr]) createInterface({ input }).on('line', hear);
  const ended = new Promise<number | string>((resolve) => {
    child.once('close', (code, signal) => resolve(code ?? signal ?? 'unknown'));
  });
  const pid = child.pid ?? 0;
  t.teardown(async () => {
    signalProcess(pid, 'SIGKILL');
    await ended;
  });
  const line = (pattern: RegExp): Promise<string> =>
    new Promise((resolve, reject) => {
      const check = (): void => {
        const found = lines.find((candidate) => pattern.test(candidate));
        if (found === undefined) return;
        waiting.delete(check);
        resolve(found);
      };
      waiting.add(check);
      check();
      void ended.then(() =>
        setTimeout(() => reject(new Error(`no line ${String(pattern)} in:\n${lines.join('\n')}`)), 200),
      );
    });
  return { pid, lines, ended, line, closeInput: () => child.stdin.end() };
}
