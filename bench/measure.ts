/** Times of one kind of call, in milliseconds. */
export interface Times {
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  readonly max: number;
}

const at = (sorted: readonly number[], share: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;

/** Calls so many times, one after the other, after a few calls that are not counted. */
export async function measure(times: number, call: () => Promise<unknown>, warmUp = 10): Promise<Times> {
  for (let n = 0; n < warmUp; n += 1) await call();
  const taken: number[] = [];
  for (let n = 0; n < times; n += 1) {
    const started = performance.now();
    await call();
    taken.push(performance.now() - started);
  }
  const sorted = taken.sort((a, b) => a - b);
  return { p50: at(sorted, 0.5), p95: at(sorted, 0.95), p99: at(sorted, 0.99), max: at(sorted, 1) };
}

/** Milliseconds for a table. */
export const ms = (value: number): string => `${value.toFixed(1)} ms`;
