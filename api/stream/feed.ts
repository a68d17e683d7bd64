import { EventEmitter } from 'node:events';

import type { Logger } from 'pino';

import { listen } from '../../db/listen.ts';
import type { Listening } from '../../db/listen.ts';
import type { OutboxCursor } from '../../db/outbox.ts';
import type { Database } from '../../db/pool.ts';
import { Tails } from './tails.ts';
import type { Listener } from './tails.ts';

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

const RECONNECT_MS = 1_000;
// Rows that commit while an older transaction still runs are told a moment later; nothing announces that moment.
const LOOK_AGAIN_MS = 250;

/** A connection that comes back by itself, and looks again for what was announced while it was away. */
class Announcements {
  private listening: Listening | undefined;
  private closed = false;
  private readonly url: string;
  private readonly tails: Tails;
  private readonly log: Logger;

  constructor(url: string, tails: Tails, log: Logger) {
    this.url = url;
    this.tails = tails;
    this.log = log;
  }

  get connected(): boolean {
    return this.listening !== undefined;
  }

  async open(): Promise<void> {
    this.listening = await listen(this.url, 'switchboard_outbox', {
      onTold: (organisationId) => void this.tails.read(organisationId),
      onLost: (error) => {
        this.listening = undefined;
        this.log.warn({ error: error.message }, 'the outbox connection was lost');
        this.reconnect();
      },
    });
    this.tails.readAll();
  }

  async close(): Promise<void> {
    this.closed = true;
    await this.listening?.close();
  }

  private reconnect(): void {
    if (this.closed) return;
    const again = (): void => {
      this.open().catch(() => {
        this.reconnect();
      });
    };
    setTimeout(again, RECONNECT_MS).unref();
  }
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
  const tails = new Tails(database, log);
  const ends = new EventEmitter().setMaxListeners(0);
  const announcements = new Announcements(url, tails, log);
  await announcements.open();
  const timer = setInterval(() => {
    tails.readAll();
  }, LOOK_AGAIN_MS).unref();
  return {
    get connected() {
      return announcements.connected;
    },
    subscribe: (organisationId, listener) => tails.follow(organisationId, listener),
    endStreams: () => void ends.emit('end'),
    onEnd(end) {
      ends.once('end', end);
      return () => void ends.off('end', end);
    },
    async close() {
      clearInterval(timer);
      await announcements.close();
    },
  };
}
