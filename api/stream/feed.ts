import { EventEmitter } from 'node:events';

import pg from 'pg';
import type { Logger } from 'pino';

import { outboxAfter, outboxEnd } from '../../db/outbox.ts';
import type { OutboxCursor, OutboxRow } from '../../db/outbox.ts';
import type { Database } from '../../db/pool.ts';

/** Told rows, in order, and where they end. */
export type Listener = (rows: readonly OutboxRow[]) => void;

/** What the outbox tells, organisation by organisation: one reader for all listeners of a process. */
export interface Feed {
  /** Starts listening; answers where the told rows begin, and how to stop. */
  subscribe(
    organisationId: string,
    listener: Listener,
  ): Promise<{ readonly from: OutboxCursor; readonly stop: () => void }>;
  /** False while the connection that announces news is away. */
  readonly connected: boolean;
  /** Ends all streams: the process stops, and clients come back elsewhere. */
  endStreams(): void;
  /** Called once when streams have to end; answers how to forget it. */
  onEnd(end: () => void): () => void;
  close(): Promise<void>;
}

const BATCH = 500;
const RECONNECT_MS = 1_000;
// Rows that commit while an older transaction still runs are told a moment later; nothing announces that moment.
const LOOK_AGAIN_MS = 250;

interface Tail {
  cursor: OutboxCursor;
  readonly listeners: Set<Listener>;
  reading: boolean;
  again: boolean;
}

/** Follows the outbox with LISTEN on a connection of its own, and by looking again where announcements may be missed. */
export async function openFeed({
  database,
  url,
  log,
}: {
  database: Database;
  url: string;
  log: Logger;
}): Promise<Feed> {
  const tails = new Map<string, Promise<Tail>>();
  const news = new EventEmitter().setMaxListeners(0);
  let closed = false;
  let client: pg.Client | undefined;

  async function listen(): Promise<void> {
    const next = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5_000 });
    next.on('notification', ({ payload }) => news.emit('told', payload));
    next.on('error', (error) => {
      if (client === next) client = undefined;
      log.warn({ error: error.message }, 'the outbox connection was lost');
      void next.end().catch(() => undefined);
      reconnect();
    });
    await next.connect();
    await next.query('LISTEN switchboard_outbox');
    client = next;
  }
  function reconnect(): void {
    if (closed) return;
    setTimeout(() => {
      listen().then(readAll, reconnect);
    }, RECONNECT_MS).unref();
  }

  async function read(organisationId: string): Promise<void> {
    const tail = await tails.get(organisationId);
    if (!tail || tail.listeners.size === 0) return;
    tail.again = true;
    if (tail.reading) return;
    tail.reading = true;
    try {
      while (tail.again) {
        tail.again = false;
        const rows = await database.inOrganisation(organisationId, (sql) => outboxAfter(sql, tail.cursor, BATCH));
        tail.cursor = rows.at(-1) ?? tail.cursor;
        if (rows.length > 0) for (const listener of tail.listeners) listener(rows);
        if (rows.length === BATCH) tail.again = true;
      }
    } catch (error) {
      log.warn({ error: String(error) }, 'the outbox could not be read');
    } finally {
      tail.reading = false;
    }
  }
  const readAll = (): void => {
    for (const id of tails.keys()) void read(id);
  };
  news.on('told', (id: string) => void read(id));
  const timer = setInterval(readAll, LOOK_AGAIN_MS).unref();
  await listen();

  function tailOf(organisationId: string): Promise<Tail> {
    const present = tails.get(organisationId);
    if (present) return present;
    const opening = database
      .inOrganisation(organisationId, outboxEnd)
      .then((cursor): Tail => ({ cursor, listeners: new Set(), reading: false, again: false }));
    tails.set(organisationId, opening);
    opening.catch(() => tails.delete(organisationId));
    return opening;
  }

  return {
    get connected() {
      return client !== undefined;
    },
    async subscribe(organisationId, listener) {
      const tail = await tailOf(organisationId);
      tail.listeners.add(listener);
      const stop = (): void => {
        tail.listeners.delete(listener);
        if (tail.listeners.size === 0) tails.delete(organisationId);
      };
      return { from: tail.cursor, stop };
    },
    endStreams: () => void news.emit('end'),
    onEnd(end) {
      news.once('end', end);
      return () => void news.off('end', end);
    },
    async close() {
      closed = true;
      clearInterval(timer);
      await client?.end();
    },
  };
}
