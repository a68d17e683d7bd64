import type { ServerContext } from '@modelcontextprotocol/server';

const EVERY_MS = 5_000;

/** Tells the client of a call, where it asked to be told, that the call is alive and how far it is. */
export interface ProgressReport {
  say(message: string): void;
  stop(): void;
}

/** Reports the seconds a call has taken, every five seconds until it is stopped; of so many where that is known. */
export function reportProgress({ mcpReq }: ServerContext, totalSeconds?: number, everyMs = EVERY_MS): ProgressReport {
  const progressToken = mcpReq._meta?.progressToken;
  if (progressToken === undefined) return { say: () => undefined, stop: () => undefined };
  const started = performance.now();
  const say = (message: string): void => {
    const progress = Math.round(performance.now() - started) / 1000;
    const total = totalSeconds === undefined || progress > totalSeconds ? {} : { total: totalSeconds };
    const params = { progressToken, progress, ...total, message };
    // A client that is gone is told nothing, and the call itself notices.
    void mcpReq.notify({ method: 'notifications/progress', params }).catch(() => undefined);
  };
  const timer = setInterval(() => say('Waiting for Switchboard.'), everyMs).unref();
  return { say, stop: () => clearInterval(timer) };
}
