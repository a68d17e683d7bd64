import { BurstyRateLimiter, RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';

const BURST_SECONDS = 10;

/** Milliseconds until the next request is taken; undefined where this one is. */
export type TakeRequest = (key: string) => Promise<number | undefined>;

/**
 * The first line: requests a second by key, with bursts, in the memory of this process, so that it costs no round trip.
 * Several processes allow as many times as much; what makes work is counted together (shared.ts).
 */
export function createRate({ perSecond, burst }: { readonly perSecond: number; readonly burst: number }): TakeRequest {
  const limiter = new BurstyRateLimiter(
    new RateLimiterMemory({ points: perSecond, duration: 1 }),
    new RateLimiterMemory({ points: burst, duration: BURST_SECONDS }),
  );
  return async (key) => {
    try {
      await limiter.consume(key);
      return undefined;
    } catch (refusal) {
      if (refusal instanceof RateLimiterRes) return Math.max(1, refusal.msBeforeNext);
      throw refusal;
    }
  };
}
