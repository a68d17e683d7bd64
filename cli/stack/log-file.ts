import { closeSync, mkdirSync, openSync, renameSync, statSync, writeSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';

const LARGEST = 20 * 1024 * 1024;
const SHOWN_LINES = 3;

const LogLine = z.object({
  level: z.string(),
  msg: z.string().optional(),
  err: z.object({ message: z.string().optional() }).optional(),
});

/** The one log of all processes of the stack. */
export interface LogFile {
  readonly path: string;
  /** Appends a line of a process; lines that are no JSON are marked with its name. */
  write(name: string, line: string): void;
  close(): void;
}

/** Opens the log for appending; one that has grown large is set aside first. */
export function openLogFile(dataDir: string): LogFile {
  const file = path.join(dataDir, 'switchboard.log');
  mkdirSync(dataDir, { recursive: true });
  if ((statSync(file, { throwIfNoEntry: false })?.size ?? 0) > LARGEST) renameSync(file, `${file}.1`);
  let descriptor: number | undefined = openSync(file, 'a', 0o600);
  let lost = 0;
  const append = (text: string): void => {
    if (descriptor === undefined) return;
    try {
      if (lost > 0) writeSync(descriptor, `[log] ${String(lost)} lines could not be written\n`);
      lost = 0;
      writeSync(descriptor, text);
    } catch {
      // A full disk: what runs must not end for a line of its log; how many are missing is told once there is room.
      lost += 1;
    }
  };
  return {
    path: file,
    write(name, line) {
      append(line.startsWith('{') ? `${line}\n` : `[${name}] ${line}\n`);
    },
    close() {
      if (descriptor !== undefined) closeSync(descriptor);
      descriptor = undefined;
    },
  };
}

/** The text of a JSON log line of level error or worse; undefined for every other line. */
export function errorOf(line: string): string | undefined {
  if (!line.startsWith('{')) return undefined;
  try {
    const parsed = LogLine.safeParse(JSON.parse(line));
    if (!parsed.success || !['error', 'fatal'].includes(parsed.data.level)) return undefined;
    return [parsed.data.msg, parsed.data.err?.message].filter((text) => text !== undefined).join(': ');
  } catch {
    return undefined;
  }
}

/** Why a process ended, as far as its last lines tell: its errors, or else its last words. */
export function errorLines(tail: readonly string[]): string {
  const errors = tail.map(errorOf).filter((text) => text !== undefined);
  const thrown = tail.filter((line) => /^(?:Uncaught )?[A-Za-z]*Error\b.*:/.test(line));
  const words = tail.filter((line) => line.trim() !== '' && !line.startsWith('{'));
  const shown = [errors, thrown, words].find((lines) => lines.length > 0) ?? [];
  return shown.length === 0 ? 'it said nothing' : shown.slice(-SHOWN_LINES).join(' | ');
}
