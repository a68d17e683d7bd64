/** What a series of calls gave. */
export interface Load {
  /** Calls a second, over the whole time. */
  readonly rate: number;
  /** Milliseconds of each call, sorted. */
  readonly times: readonly number[];
}

/** Runs so many calls, so many at a time. */
export async function load(count: number, concurrency: number, call: () => Promise<unknown>): Promise<Load> {
  const times: number[] = [];
  let left = count;
  const started = performance.now();
  const runner = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      const at = performance.now();
      await call();
      times.push(performance.now() - at);
    }
  };
  await Promise.all(Array.from({ length: concurrency }, runner));
  return { rate: count / ((performance.now() - started) / 1000), times: times.sort((a, b) => a - b) };
}

/** The value that a share of the calls stayed below, in milliseconds; `share` from 0 to 1. */
export const percentile = ({ times }: Pick<Load, 'times'>, share: number): number =>
  times[Math.min(times.length - 1, Math.floor(times.length * share))] ?? NaN;

export const median = (values: readonly number[]): number =>
  percentile({ times: [...values].sort((a, b) => a - b) }, 0.5);
