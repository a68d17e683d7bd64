import fc from 'fast-check';

import type { Actor } from '../../../contracts/actor.ts';

/** A property holds for so many random cases. */
export const RUNS = { numRuns: 300 };

/** When every test begins, in milliseconds since the epoch. */
export const START = Date.UTC(2026, 0, 5, 9);

export const person = (id: string, more: Partial<Actor> = {}): Actor => ({
  kind: 'user',
  id,
  role: 'finance',
  acts_for: null,
  administrator: false,
  ...more,
});
export const agent = (id: string, more: Partial<Actor> = {}): Actor => ({ ...person(id, more), kind: 'agent' });

/** Some time, in whole seconds, up to a week. */
export const milliseconds = fc.integer({ min: 0, max: 7 * 86_400 }).map((seconds) => seconds * 1000);

/** Freezes a value with all it holds: whoever changes it in place, throws. */
export function frozen<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    Object.values(value).forEach(frozen);
  }
  return value;
}
