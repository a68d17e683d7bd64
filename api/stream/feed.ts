import { EventEmitter } from 'node:events';

import type { Logger } from 'pino';

import { follow } from '../../db/listen.ts';
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

// Rows that commit while an older transaction still runs are told a moment later; nothing announces that moment.
const LOOK_AGAIN_MS = 250;

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
  const following = await follow(url, 'switchboard_outbox', {
    onTold: (organisationId) => void tails.read(organisationId),
    // What was announced while it was away.
    onOpen: () => tails.readAll(),
    onLost: (error) => log.warn({ error: error.message }, 'the outbox connection was lost'),
  });
  const timer = setInterval(() => {
    tails.readAll();
  }, LOOK_AGAIN_MS).unref();
  return {
    get connected() {
      return following.connected;
    },
    subscribe: (organisationId, listener) => tails.follow(organisationId, listener),
    endStreams: () => void ends.emit('end'),
    onEnd(end) {
      ends.once('end', end);
      return () => void ends.off('end', end);
    },
    async close() {
      clearInterval(timer);
      await following.close();
    },
  };
}
