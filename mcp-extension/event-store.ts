import type { EventStore, JSONRPCMessage } from '@modelcontextprotocol/server';

const MOST_EVENTS = 256;

interface StoredEvent {
  readonly id: string;
  readonly streamId: string;
  readonly message: JSONRPCMessage;
}

/** The newest messages of one HTTP session, so that a client which lost its stream gets what it missed. */
export function createEventStore(most = MOST_EVENTS): EventStore {
  const events: StoredEvent[] = [];
  let count = 0;
  const find = (id: string): StoredEvent | undefined => events.find((event) => event.id === id);
  return {
    storeEvent: (streamId, message) => {
      count += 1;
      const id = `${String(count)}-${streamId}`;
      events.push({ id, streamId, message });
      if (events.length > most) events.shift();
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
