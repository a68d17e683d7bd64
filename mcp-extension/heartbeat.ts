import { heartbeat } from '../contracts/agents.ts';
import type { Logger } from '../platform/log.ts';
import type { CallApi } from './api-client.ts';
import { ApiProblem } from './problem.ts';

/** One that is lost does not make an agent silent: that takes two minutes without. */
const EVERY_MS = 50_000;
const FAREWELL_MS = 2_000;
/** Answers after which no later heartbeat could succeed: the key is a person's, or none. */
const FINAL = new Set(['forbidden', 'unauthenticated']);

/** Says that the agent is there, now and every fifty seconds, until it is stopped. */
export interface Heartbeat {
  /** Says that the agent is gone; waits two seconds at most. */
  stop(): Promise<void>;
}

/** Starts heartbeats for the key of `call`; failures are logged and never disturb the client. */
export function startHeartbeat(
  call: CallApi,
  log: Pick<Logger, 'debug'>,
  everyMs = EVERY_MS,
  final: ReadonlySet<string> = FINAL,
): Heartbeat {
  const stopped = new AbortController();
  let useful = true;
  let beating = false;
  const beat = async (): Promise<void> => {
    // A slow API is not asked again while it still has to answer.
    if (beating) return;
    beating = true;
    try {
      await call(heartbeat, { status: 'online' }, { signal: stopped.signal });
    } catch (error) {
      if (stopped.signal.aborted) return;
      log.debug({ err: error }, 'heartbeat failed');
      if (error instanceof ApiProblem && final.has(error.code)) end();
    } finally {
      beating = false;
    }
  };
  const timer = setInterval(() => void beat(), everyMs).unref();
  const end = (): void => {
    useful = false;
    clearInterval(timer);
  };
  void beat();
  return {
    stop: async () => {
      clearInterval(timer);
      stopped.abort();
      if (useful) await farewell(call, log);
    },
  };
}

async function farewell(call: CallApi, log: Pick<Logger, 'debug'>): Promise<void> {
  try {
    await call(heartbeat, { status: 'offline' }, { signal: AbortSignal.timeout(FAREWELL_MS) });
  } catch (error) {
    log.debug({ err: error }, 'the API was not told that the agent is gone');
  }
}
