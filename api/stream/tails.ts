import type { Logger } from 'pino';

import { outboxAfter, outboxEnd } from '../../db/outbox.ts';
import type { OutboxCursor, OutboxRow } from '../../db/outbox.ts';
import type { Database } from '../../db/pool.ts';

/** Told rows, in order. */
export type Listener = (rows: readonly OutboxRow[]) => void;

interface Tail {
  cursor: OutboxCursor;
  readonly listeners: Set<Listener>;
  reading: boolean;
  again: boolean;
}

const BATCH = 500;
// A call, since its value changes while rows are read.
const isWanted = ({ again }: Tail): boolean => again;

/** The ends of the outbox that somebody follows, one an organisation: each row is read once a process. */
export class Tails {
  private readonly tails = new Map<string, Promise<Tail>>();
  private readonly database: Database;
  private readonly log: Logger;

  constructor(database: Database, log: Logger) {
    this.database = database;
    this.log = log;
  }

  /** Adds a listener; answers where what it is told begins, and how to stop. */
  async follow(
    organisationId: string,
    listener: Listener,
  ): Promise<{ readonly from: OutboxCursor; readonly stop: () => void }> {
    const tail = await this.tailOf(organisationId);
    tail.listeners.add(listener);
    const stop = (): void => {
      tail.listeners.delete(listener);
      if (tail.listeners.size === 0) this.tails.delete(organisationId);
    };
    return { from: tail.cursor, stop };
  }

  readAll(): void {
    for (const id of this.tails.keys()) void this.read(id);
  }

  /** Reads on and tells the listeners; one read at a time for each organisation. */
  async read(organisationId: string): Promise<void> {
    const tail = await this.tails.get(organisationId);
    if (!tail || tail.listeners.size === 0) return;
    tail.again = true;
    if (tail.reading) return;
    tail.reading = true;
    try {
      while (isWanted(tail)) await this.readOn(organisationId, tail);
    } catch (error) {
      this.log.warn({ error: String(error) }, 'the outbox could not be read');
    } finally {
      tail.reading = false;
    }
  }

  private async readOn(organisationId: string, tail: Tail): Promise<void> {
    tail.again = false;
    const rows = await this.database.inOrganisation(organisationId, (sql) => outboxAfter(sql, tail.cursor, BATCH));
    tail.cursor = rows.at(-1) ?? tail.cursor;
    if (rows.length > 0) for (const listener of tail.listeners) listener(rows);
    if (rows.length === BATCH) tail.again = true;
  }

  private tailOf(organisationId: string): Promise<Tail> {
    const present = this.tails.get(organisationId);
    if (present) return present;
    const opening = this.database
      .inOrganisation(organisationId, outboxEnd)
      .then((cursor): Tail => ({ cursor, listeners: new Set(), reading: false, again: false }));
    this.tails.set(organisationId, opening);
    opening.catch(() => this.tails.delete(organisationId));
    return opening;
  }
}
