import { createLogger } from '../platform/log.ts';
import type { Logger } from '../platform/log.ts';

/** A logger on standard error that survives a client which no longer reads it. */
export function createStderrLogger(name: string, level: string): Logger {
  process.stderr.on('error', () => undefined);
  return createLogger({ name, level, destination: { write: (line: string) => void process.stderr.write(line) } });
}

/** Ends the process before it serves, with one readable line about what is wrong. */
export function failStart(error: unknown): never {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(2);
}
