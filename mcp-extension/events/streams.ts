import { PROFILE_URI } from './resource-uris.ts';
import { Upstream } from './upstream.ts';
import type { Listener, UpstreamOptions } from './upstream.ts';

/** Starts hearing of changes; answers how to stop. */
export type Follow = (listener: Listener) => () => void;

/** Changes of what callers may see: one connection to the API for each key, while somebody listens. */
export interface EventStreams {
  /** Following with one key; without a key there is nothing to hear. */
  of(key: string | undefined): Follow;
  /** Hears what any key is told, before those who follow with it. */
  watch(watcher: (key: string, changed: Parameters<Listener>[0]) => void): void;
  /** Connections that are held now. */
  readonly size: number;
  close(): void;
}

/** After so long every process of the API knows a new profile: whoever asked another one meanwhile asks again. */
const EVERYWHERE_MS = 2_000;

interface Shared {
  readonly upstream: Upstream;
  readonly listeners: Set<Listener>;
}

/** Opens a connection with the first listener of a key and closes it with the last. */
export function createEventStreams(options: Omit<UpstreamOptions, 'key'>): EventStreams {
  const streams = new Map<string, Shared>();
  const watchers: Parameters<EventStreams['watch']>[0][] = [];

  const open = (key: string): Shared => {
    const listeners = new Set<Listener>();
    const tell: Listener = (changed) => {
      for (const watcher of watchers) watcher(key, changed);
      for (const listener of [...listeners]) listener(changed);
    };
    const upstream = new Upstream({ ...options, key }, (changed) => {
      tell(changed);
      if (changed !== 'all' && changed.includes(PROFILE_URI))
        setTimeout(() => tell([PROFILE_URI]), EVERYWHERE_MS).unref();
    });
    const shared = { upstream, listeners };
    streams.set(key, shared);
    return shared;
  };

  const follow = (key: string, listener: Listener): (() => void) => {
    const shared = streams.get(key) ?? open(key);
    // A wrapper of its own, so that one function may listen twice.
    const own: Listener = (changed) => listener(changed);
    shared.listeners.add(own);
    return () => {
      shared.listeners.delete(own);
      if (shared.listeners.size > 0 || streams.get(key) !== shared) return;
      streams.delete(key);
      shared.upstream.close();
    };
  };

  return {
    of: (key) => (listener) => (key === undefined ? () => undefined : follow(key, listener)),
    watch: (watcher) => void watchers.push(watcher),
    get size() {
      return streams.size;
    },
    close: () => {
      for (const { upstream } of streams.values()) upstream.close();
      streams.clear();
    },
  };
}
