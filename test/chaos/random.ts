/** A repeatable source of chance, so that a failing run can be played again. */
export interface Random {
  readonly seed: number;
  /** From 0 up to, not including, the bound. */
  below(bound: number): number;
  pick<T>(from: readonly T[]): T;
}

const STEP = 0x6d2b79f5;

/** mulberry32 (public domain, Tommy Ettinger): small, fast and good enough to choose faults. */
export function randomOf(seed: number): Random {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + STEP) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  return {
    seed,
    below: (bound) => Math.floor(next() * bound),
    pick: (from) => {
      const picked = from[Math.floor(next() * from.length)];
      if (picked === undefined) throw new Error('Nothing to pick from.');
      return picked;
    },
  };
}
