import { createHash } from 'node:crypto';

import { takePoints } from '../../db/limits.ts';
import type { Database } from '../../db/pool.ts';
import { ApiError } from '../problem.ts';

/** How often something may be tried. */
export interface ThrottleRule {
  readonly name: string;
  readonly limit: number;
  readonly seconds: number;
}

const MOST_KEPT = 10_000;
// Attempts are counted before anybody is known: they belong to no organisation.
const NOBODY = '';

/** Counts attempts over all API processes; who has used them up is refused from memory until the window ends. */
export class Throttle {
  private readonly database: Database;
  private readonly refusedUntil = new Map<string, number>();

  constructor(database: Database) {
    this.database = database;
  }

  /** Throws 429 where the key has used up its attempts; counts nothing. */
  check(rule: ThrottleRule, key: string): void {
    const until = this.refusedUntil.get(keyOf(rule, key));
    if (until !== undefined && until > Date.now()) throw tooMany(until - Date.now());
  }

  /** Counts an attempt; throws 429 where it is one too many. */
  async take(rule: ThrottleRule, key: string): Promise<void> {
    this.check(rule, key);
    const window = { key: keyOf(rule, key), limit: rule.limit, seconds: rule.seconds };
    const { granted, resetsInMs } = await this.database.inOrganisation(NOBODY, (sql) => takePoints(sql, window, 1));
    if (granted > 0) return;
    if (this.refusedUntil.size >= MOST_KEPT) this.refusedUntil.clear();
    this.refusedUntil.set(window.key, Date.now() + resetsInMs);
    throw tooMany(resetsInMs);
  }
}

/** Addresses and accounts are personal: only a digest of them is kept. */
const keyOf = ({ name }: ThrottleRule, key: string): string =>
  `${name}/${createHash('sha256').update(key).digest('base64url')}`;

const tooMany = (waitMs: number): ApiError =>
  new ApiError({
    code: 'rate_limited',
    detail: 'Too many attempts to sign in from here; wait a while.',
    facts: { limit: 'sign-in', retry_after_s: Math.ceil(waitMs / 1000) },
  });
