import { randomBytes } from 'node:crypto';

import type { Logger } from 'pino';

import type { Principal } from '../../contracts/principal.ts';
import type { Database } from '../../db/pool.ts';
import { recordEvent } from '../record.ts';
import { LastMinute } from './last-minute.ts';

interface Refused {
  readonly principal: Principal;
  readonly since: string;
  readonly counts: Record<string, number>;
}

/**
 * Counts what was refused, and puts it on record once a minute for each principal: a flood must not flood the record.
 */
export class Refusals {
  private waiting = new Map<string, Refused>();
  private readonly recent = new LastMinute();
  private readonly timer: NodeJS.Timeout;
  private readonly database: Database;
  private readonly log: Logger;

  constructor(database: Database, log: Logger, everyMs: number) {
    this.database = database;
    this.log = log;
    this.timer = setInterval(() => void this.report(), everyMs).unref();
  }

  /** Refusals of this process in the last minute. */
  get lastMinute(): number {
    return this.recent.count;
  }

  add(principal: Principal, limit: string): void {
    this.recent.add();
    const key = `${principal.organisation_id}/${principal.id}`;
    const known = this.waiting.get(key) ?? { principal, since: new Date().toISOString(), counts: {} };
    known.counts[limit] = (known.counts[limit] ?? 0) + 1;
    this.waiting.set(key, known);
  }

  /** Writes down what was counted; what cannot be written now is kept for the next time. */
  async report(): Promise<void> {
    const [reported, until] = [this.waiting, new Date().toISOString()];
    this.waiting = new Map();
    for (const [key, refused] of reported)
      try {
        await this.write(refused, until);
      } catch (error) {
        this.keep(key, refused);
        this.log.warn({ error: String(error) }, 'refusals could not be put on record; they are kept');
      }
  }

  async close(): Promise<void> {
    clearInterval(this.timer);
    await this.report();
  }

  private async write({ principal, since, counts }: Refused, until: string): Promise<void> {
    const { organisation_id, id, kind } = principal;
    this.log.warn({ organisation_id, principal_id: id, since, refused: counts }, 'requests were refused by limits');
    const call = { principal, traceId: randomBytes(16).toString('hex'), id, signal: AbortSignal.abort() };
    await this.database.inOrganisation(organisation_id, (sql) =>
      recordEvent(sql, call, {
        action: 'limits.refused',
        kind,
        id,
        outcome: 'denied',
        details: { refused: counts, since, until },
      }),
    );
  }

  private keep(key: string, { principal, since, counts }: Refused): void {
    const later = this.waiting.get(key);
    for (const [limit, count] of Object.entries(later?.counts ?? {})) counts[limit] = (counts[limit] ?? 0) + count;
    this.waiting.set(key, { principal, since, counts });
  }
}
