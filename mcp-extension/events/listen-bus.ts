import { AsyncLocalStorage } from 'node:async_hooks';

import type { ServerEventBus } from '@modelcontextprotocol/server';

import { PROFILE_URI } from './resource-uris.ts';
import type { EventStreams } from './streams.ts';

interface Listening {
  readonly key: string;
  readonly uris: readonly string[];
}

/** The bus of subscriptions/listen over HTTP (2026 protocol), where each listener hears only what its own key may see. */
export interface ListenBus extends ServerEventBus {
  /** Serves a request on behalf of a key; a subscription that it opens is that key's. */
  serve<T>(key: string, body: unknown, work: () => T): T;
}

/** The SDK subscribes to a bus without saying for whom; the request that is being served knows. */
export function createListenBus(streams: EventStreams): ListenBus {
  const serving = new AsyncLocalStorage<Listening>();
  return {
    serve: (key, body, work) => serving.run({ key, uris: listenedUris(body) }, work),
    subscribe: (listener) => {
      const { key, uris } = serving.getStore() ?? { key: undefined, uris: [] };
      return streams.of(key)((changed) => {
        for (const uri of changed === 'all' ? uris : changed) {
          listener({ kind: 'resource_updated', uri });
          if (uri === PROFILE_URI) listener({ kind: 'tools_list_changed' });
        }
      });
    },
    // All events come from the API.
    publish: () => undefined,
  };
}

/**
 * The resources that a subscriptions/listen message asks for, and the profile where it asks for changes of the tools,
 * which come from there; none in any other message.
 */
export function listenedUris(message: unknown): readonly string[] {
  if (!isObject(message) || message['method'] !== 'subscriptions/listen' || !isObject(message['params'])) return [];
  const filter = message['params']['notifications'];
  const uris: unknown = isObject(filter) ? filter['resourceSubscriptions'] : undefined;
  const tools = isObject(filter) && filter['toolsListChanged'] === true ? [PROFILE_URI] : [];
  return [...(Array.isArray(uris) ? uris.filter((uri) => typeof uri === 'string') : []), ...tools];
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;
