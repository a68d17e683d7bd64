import { randomUUID } from 'node:crypto';

import { TRACEPARENT_META_KEY } from '@modelcontextprotocol/server';
import type { ServerContext } from '@modelcontextprotocol/server';

const TRACEPARENT = /^[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}$/; // https://www.w3.org/TR/trace-context/

/** The trace of a request: the client's own where it sends one in `_meta`, else a new one. */
export function traceIdOf(ctx: ServerContext): string {
  const given = ctx.mcpReq._meta?.[TRACEPARENT_META_KEY];
  return (typeof given === 'string' ? TRACEPARENT.exec(given)?.[1] : undefined) ?? randomUUID();
}
