import { pino } from 'pino';
import type { DestinationStream, Logger as PinoLogger } from 'pino';

import { scrub, scrubText } from './scrub.ts';

/** Writes one JSON object a line; secrets never reach it. */
export type Logger = PinoLogger;

/** What a logger is made of. */
export interface LogOptions {
  /** The process, e.g. `api`; in every line. */
  readonly name: string;
  /** Least severe line that is written (default info). */
  readonly level?: string;
  /** Where lines go (default: standard error, since standard output may carry a protocol). */
  readonly destination?: DestinationStream;
}

/** A JSON logger whose every line is scrubbed: objects by name and value, messages and errors by value. */
export function createLogger({ name, level = 'info', destination }: LogOptions): Logger {
  const options = {
    base: { name, pid: process.pid },
    level,
    timestamp: () => `,"time":"${new Date().toISOString()}"`,
    formatters: {
      level: (label: string) => ({ level: label }),
      log: (fields: object) => scrub(fields) as Record<string, unknown>,
      bindings: (fields: object) => scrub(fields) as Record<string, unknown>,
    },
    serializers: { err: (error: unknown) => error },
    // Text that was built outside of `fields` (message, bindings of a child) passes here as well.
    hooks: { streamWrite: scrubText },
  };
  return pino(options, destination ?? pino.destination({ dest: 2, sync: true }));
}
