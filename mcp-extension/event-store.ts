import type { EventStore, JSONRPCMessage } from '@modelcontextprotocol/server';

const MOST_EVENTS = 256;
const MOST_BYTES = 8 * 1024 * 1024;

interface StoredEvent {
  readonly id: string;
  readonly streamId: string;
  readonly message: JSONRPCMessage;
  readonly bytes: number;
}

/**
 * The newest messages of one HTTP session, so that a client which lost its stream gets what it missed. Bounded in
 * number and size; the newest is kept however large it is.
 */
export function createEventStore(most = MOST_EVENTS, mostBytes = MOST_BYTES): EventStore {
  const events: StoredEvent[] = [];
  let count = 0;
  let held = 0;
  const find = (id: string): StoredEvent | undefined => events.find((event) => event.id === id);
  const forgetOldest = (): void => {
    held -= events.shift()?.bytes ?? 0;
  };
  return {
    storeEvent: (streamId, message) => {
      count += 1;
      const id = `${String(count)}-${streamId}`;
      const bytes = JSON.stringify(message).length;
      events.push({ id, streamId, message, bytes });
      held += bytes;
      while (events.length > 1 && (events.length > most || held > mostBytes)) forgetOldest();
      return Promise.resolve(id);
    },
    getStreamIdForEventId: (id) => Promise.resolve(find(id)?.streamId),
    replayEventsAfter: async (lastEventId, { send }) => {
      const last = find(lastEventId);
      if (last === undefined) throw new Error('The event is no longer kept; start a new session.');
      const missed = events.slice(events.indexOf(last) + 1).filter((event) => event.streamId === last.streamId);
      for (const { id, message } of missed) await send(id, message);
      return last.streamId;
    },
  };
}
