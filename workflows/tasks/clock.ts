/** A deadline that can be stopped and started: milliseconds since the epoch while it runs, what is left while it stands. */
export type Clock =
  { readonly running: true; readonly due: number } | { readonly running: false; readonly left: number };

/** A clock that is due in so many seconds; it stands at first where work is paused. */
export const startClock = (seconds: number, now: number, paused: boolean): Clock =>
  paused ? { running: false, left: seconds * 1000 } : { running: true, due: now + seconds * 1000 };

/** Stops a clock; stopping a standing clock changes nothing. */
export const stopClock = (clock: Clock, now: number): Clock =>
  clock.running ? { running: false, left: Math.max(0, clock.due - now) } : clock;

/** Starts a standing clock with what was left of it. */
export const resumeClock = (clock: Clock, now: number): Clock =>
  clock.running ? clock : { running: true, due: now + clock.left };

/** When a running clock is due; null while it stands. */
export const dueAt = (clock: Clock | null): number | null => (clock?.running ? clock.due : null);
