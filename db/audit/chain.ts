import { eventDigest, sha256 } from './event.ts';
import type { SealedEvent } from './event.ts';

/** One link of an organisation's chain: what is sealed about one event. */
export interface Entry {
  /** 1, 2, 3 … without gaps. */
  readonly index: number;
  /** The event's position in the table; grows with time, with gaps. */
  readonly position: string;
  readonly event_id: string;
  /** SHA-256 of the event's canonical JSON. */
  readonly event_digest: string;
  /** RFC 3339, milliseconds. */
  readonly sealed_at: string;
  /** SHA-256 over everything above, the organisation and the hash before it. */
  readonly hash: string;
}

/** A place in the chain: everything up to it is known by its hash. */
export interface Head {
  readonly index: number;
  readonly hash: string;
}

/** Where every chain begins. */
export const GENESIS: Head = { index: 0, hash: '0'.repeat(64) };

/** The hash of a link, given the hash before it. */
export const entryHash = (organisation: string, previous: string, entry: Omit<Entry, 'hash'>): string =>
  sha256({
    v: 1,
    organisation,
    index: entry.index,
    position: entry.position,
    event_id: entry.event_id,
    event_digest: entry.event_digest,
    sealed_at: entry.sealed_at,
    previous,
  });

/** Links events to the chain, in this order. */
export function linkEvents(organisation: string, head: Head, events: readonly SealedEvent[], sealedAt: Date): Entry[] {
  const entries: Entry[] = [];
  let { index, hash } = head;
  for (const event of events) {
    const entry = {
      index: (index += 1),
      position: event.position,
      event_id: event.id,
      event_digest: eventDigest(event),
      sealed_at: sealedAt.toISOString(),
    };
    hash = entryHash(organisation, hash, entry);
    entries.push({ ...entry, hash });
  }
  return entries;
}
