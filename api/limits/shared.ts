import { takePoints } from '../../db/limits.ts';
import type { SharedWindow } from '../../db/limits.ts';
import type { Database } from '../../db/pool.ts';

/** Points that this process has taken of a window and not used yet. */
interface Held {
  left: number;
  /** Whether the database had no more to give. */
  usedUp: boolean;
  /** When the window ends, by the clock of this process. */
  until: number;
  taking: Promise<void> | undefined;
}

/** Points taken at once, as a share of the limit: one round trip serves many requests. */
const SHARE = 50;
const MOST_AT_ONCE = 50;
/** Keys remembered before those whose window has ended are forgotten. */
const MOST_KEYS = 10_000;

/**
 * Limits that all processes share through Postgres. A process takes points in small lots and uses them up; once a window
 * is used up it refuses from memory, so a flood costs the database nothing. Never more than the limit is granted in all;
 * lots that another process holds can make it slightly less.
 */
export class SharedLimits {
  private readonly held = new Map<string, Held>();
  private readonly database: Database;

  constructor(database: Database) {
    this.database = database;
  }

  /** Takes one point; answers undefined, or in how many milliseconds the window that refuses ends. */
  async take(organisationId: string, window: SharedWindow): Promise<number | undefined> {
    const held = this.heldOf(`${organisationId}/${window.key}`);
    while (held.left === 0) {
      if (held.usedUp && held.until > Date.now()) return held.until - Date.now();
      held.taking ??= this.refill(held, organisationId, window).finally(() => (held.taking = undefined));
      await held.taking;
    }
    held.left -= 1;
    return undefined;
  }

  /** Gives one point back: the request turned out to be a repetition, or was refused by another limit. */
  giveBack(organisationId: string, { key }: Pick<SharedWindow, 'key'>): void {
    const held = this.held.get(`${organisationId}/${key}`);
    if (held && held.until > Date.now()) held.left += 1;
  }

  private async refill(held: Held, organisationId: string, window: SharedWindow): Promise<void> {
    const lot = Math.max(1, Math.min(MOST_AT_ONCE, Math.floor(window.limit / SHARE)));
    const { granted, resetsInMs } = await this.database.inOrganisation(organisationId, (sql) =>
      takePoints(sql, window, lot),
    );
    held.left = granted;
    held.usedUp = granted < lot;
    held.until = Date.now() + resetsInMs;
  }

  private heldOf(key: string): Held {
    const known = this.held.get(key);
    if (known) {
      // What was left of an ended window is worth nothing in the next.
      if (known.until <= Date.now()) known.left = 0;
      return known;
    }
    if (this.held.size >= MOST_KEYS) this.forget();
    const held: Held = { left: 0, usedUp: false, until: 0, taking: undefined };
    this.held.set(key, held);
    return held;
  }

  private forget(): void {
    for (const [key, { until, taking }] of this.held)
      if (until <= Date.now() && taking === undefined) this.held.delete(key);
  }
}
