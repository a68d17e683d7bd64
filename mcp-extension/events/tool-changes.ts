import type { McpServer } from '@modelcontextprotocol/server';

import { PROFILE_URI } from './resource-uris.ts';
import type { Follow } from './streams.ts';

/**
 * Tells a client of the 2025 protocols when its list of tools may have changed, from the first time it asked for it:
 * whoever never lists tools costs no connection. Answers what to call then.
 */
export function tellToolChanges({ server }: McpServer, follow: Follow): () => void {
  let stop: (() => void) | undefined;
  let ended = false;
  const before = server.onclose;
  server.onclose = () => {
    ended = true;
    stop?.();
    before?.();
  };
  return () => {
    if (ended) return;
    stop ??= follow((changed) => {
      if (changed === 'all' || changed.includes(PROFILE_URI)) void server.sendToolListChanged().catch(() => undefined);
    });
  };
}
