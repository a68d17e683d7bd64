import { toNodeHandler } from '@modelcontextprotocol/node';
import { createMcpHandler } from '@modelcontextprotocol/server';
import type { Request, Response } from 'express';

import { toolOperations } from '../contracts/index.ts';
import type { Logger } from '../platform/log.ts';
import type { ListenBus } from './events/listen-bus.ts';
import type { BuildServer } from './http.ts';
import { callerOf } from './http-guard.ts';

/** The 2026-07-28 protocol over HTTP: every request stands for itself. */
export interface Modern {
  handle(request: Request, response: Response): Promise<void>;
  close(): Promise<void>;
}

/**
 * Serves it with a server for each request. Calls of our tools are answered as streams, which say that they are alive
 * while the call takes its time; everything else is answered as one body.
 */
export function createModern(
  build: BuildServer,
  bus: ListenBus,
  { log, keepAliveMs }: { readonly log: Pick<Logger, 'warn'>; readonly keepAliveMs: number },
): Modern {
  const [calls, others] = (['sse', 'auto'] as const).map((responseMode) =>
    createMcpHandler(({ authInfo }) => build(callerOf(authInfo), 'modern'), {
      legacy: 'reject',
      responseMode,
      bus,
      keepAliveMs,
      onerror: (error) => log.warn({ because: error.message.slice(0, 300) }, 'protocol error'),
    }),
  ) as [ReturnType<typeof createMcpHandler>, ReturnType<typeof createMcpHandler>];
  return {
    handle: async (request, response) => {
      const { body } = request as { body: unknown };
      const handler = isOwnCall(body) ? calls : others;
      const { key = '' } = callerOf(request.auth);
      await bus.serve(key, body, () => toNodeHandler(handler)(request, response, body));
    },
    close: async () => {
      await Promise.all([calls.close(), others.close()]);
    },
  };
}

const OWN_TOOLS = new Set(toolOperations.map(({ name }) => name));

/** Calls of our own tools, which answer every failure as a result: a status of 200 sent ahead is never wrong. */
function isOwnCall(body: unknown): boolean {
  if (!isObject(body) || body['method'] !== 'tools/call' || !isObject(body['params'])) return false;
  const { name } = body['params'];
  return typeof name === 'string' && OWN_TOOLS.has(name);
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;
