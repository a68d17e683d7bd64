/** Runs so many calls, so many at a time; answers each call's result in the order of the calls. */
export async function flood<T>(count: number, atOnce: number, call: (n: number) => Promise<T>): Promise<T[]> {
  const results: T[] = [];
  let next = 0;
  const runner = async (): Promise<void> => {
    while (next < count) {
      const n = next;
      next += 1;
      results[n] = await call(n);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, runner));
  return results;
}

/** How many of each there are. */
export function tally(values: readonly (string | number)[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const value of values) counts[value] = (counts[value] ?? 0) + 1;
  return counts;
}

/** Milliseconds of a call, one after the other until told to stop or so many times. */
export async function timed(call: () => Promise<unknown>, times: number): Promise<readonly number[]> {
  const taken: number[] = [];
  for (let n = 0; n < times; n += 1) {
    const at = performance.now();
    await call();
    taken.push(performance.now() - at);
  }
  return taken;
}

/** The middle value. */
export const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;
