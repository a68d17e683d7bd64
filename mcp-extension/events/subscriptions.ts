import { ProtocolError, ProtocolErrorCode } from '@modelcontextprotocol/server';
import type { McpServer, ServerContext } from '@modelcontextprotocol/server';

import type { Follow } from './streams.ts';

const MOST_SUBSCRIPTIONS = 500;

/**
 * Serves resources/subscribe and resources/unsubscribe of the 2025 protocols (MCP-3). `check` throws where the caller
 * may not read the resource, so that nobody waits for what will never be told.
 */
export function serveSubscriptions(
  { server }: McpServer,
  follow: Follow,
  check: (uri: string, ctx: ServerContext) => Promise<unknown>,
): void {
  const subscribed = new Set<string>();
  let stop: (() => void) | undefined;
  const tell = (uri: string): void => void server.sendResourceUpdated({ uri }).catch(() => undefined);
  const end = (): void => {
    stop?.();
    stop = undefined;
  };

  server.setRequestHandler('resources/subscribe', async ({ params: { uri } }, ctx) => {
    if (subscribed.size >= MOST_SUBSCRIPTIONS && !subscribed.has(uri)) {
      const message = `No more than ${String(MOST_SUBSCRIPTIONS)} subscriptions: unsubscribe from some first.`;
      throw new ProtocolError(ProtocolErrorCode.InvalidRequest, message);
    }
    // Following starts before the check reads the state: what changes in between is told.
    stop ??= follow((changed) => {
      for (const one of changed === 'all' ? subscribed : changed) if (subscribed.has(one)) tell(one);
    });
    try {
      await check(uri, ctx);
      subscribed.add(uri);
    } finally {
      if (subscribed.size === 0) end();
    }
    return {};
  });
  server.setRequestHandler('resources/unsubscribe', ({ params: { uri } }) => {
    subscribed.delete(uri);
    if (subscribed.size === 0) end();
    return {};
  });
  const before = server.onclose;
  server.onclose = () => {
    subscribed.clear();
    end();
    before?.();
  };
}
