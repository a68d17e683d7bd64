import type { Request, RequestHandler } from 'express';

const LONGEST_MS = 10_000;
/** Requests that end by themselves; streams that stay open are not waited for. */
const ENDING = new Set([
  ...['initialize', 'tools/call', 'tools/list', 'resources/read', 'resources/subscribe', 'prompts/get'],
  ...['tasks/get', 'tasks/update', 'tasks/cancel'],
]);

/** Knows the requests that must be answered before the server stops. */
export interface Drain {
  readonly track: RequestHandler;
  /** Resolves when all tracked requests are answered, or after ten seconds. */
  empty(): Promise<void>;
}

/** Counts requests in flight. */
export function createDrain(longestMs = LONGEST_MS): Drain {
  let open = 0;
  let settle: (() => void) | undefined;
  return {
    track: (request, response, next) => {
      if (isEnding(request)) {
        open += 1;
        response.once('close', () => {
          open -= 1;
          if (open === 0) settle?.();
        });
      }
      next();
    },
    empty: () =>
      new Promise((resolve) => {
        if (open === 0) {
          resolve();
          return;
        }
        settle = resolve;
        setTimeout(resolve, longestMs).unref();
      }),
  };
}

function isEnding({ body }: Request): boolean {
  const messages: readonly unknown[] = Array.isArray(body) ? body : [body];
  return messages.some(
    (message) =>
      typeof message === 'object' &&
      message !== null &&
      'method' in message &&
      typeof message.method === 'string' &&
      ENDING.has(message.method),
  );
}
