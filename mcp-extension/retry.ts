/** The longest that a single wait may be; when the server asks for more, the caller is told instead. */
const LONGEST_WAIT_MS = 30_000;

const FIRST_WAIT_MS = 250;
const RETRYABLE = new Set([429, 502, 503, 504]);

/** Whether an answer with this status may be asked for again with the same idempotency key. */
export const isRetryable = (status: number): boolean => RETRYABLE.has(status);

/** Milliseconds a Retry-After header asks for, as seconds or as a date; undefined where there is none. */
export function retryAfterMs(header: string | null, now = Date.now()): number | undefined {
  if (header === null || header.trim() === '') return undefined;
  if (/^\s*\d+(\.\d+)?\s*$/.test(header)) return Number(header) * 1000;
  const at = Date.parse(header);
  return Number.isNaN(at) ? undefined : Math.max(0, at - now);
}

/** How long to wait before the next attempt, doubling and jittered; undefined when the server asks for too long. */
export function waitBefore(attempt: number, askedMs: number | undefined, random = Math.random): number | undefined {
  if (askedMs !== undefined) return askedMs <= LONGEST_WAIT_MS ? askedMs : undefined;
  return Math.min(FIRST_WAIT_MS * 2 ** attempt, 5000) * (0.5 + random());
}
