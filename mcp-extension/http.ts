import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';

import { toNodeHandler, toWebRequest } from '@modelcontextprotocol/node';
import { createMcpHandler, isLegacyRequest } from '@modelcontextprotocol/server';
import type { McpServer } from '@modelcontextprotocol/server';
import express from 'express';
import type { Express, Request, RequestHandler, Response } from 'express';

import type { Operation } from '../contracts/operation.ts';
import { reachableHost } from '../platform/config.ts';
import type { Logger } from '../platform/log.ts';
import { createApiClient } from './api-client.ts';
import { createDrain } from './drain.ts';
import { answerErrors, guardNames, requireKey } from './http-guard.ts';
import { createHttpSessions } from './http-sessions.ts';
import { rpcError } from './rpc-error.ts';
import { createSwitchboardServer } from './server.ts';

/** A body holds a payload of at most 256 KiB with its envelope; what is larger is refused unread. */
const BODY_LIMIT = 1024 * 1024;

/** Where and for which API the MCP server listens. */
export interface McpHttpOptions {
  readonly port: number;
  readonly host: string;
  readonly apiUrl: string;
  readonly log: Pick<Logger, 'info' | 'warn' | 'error'>;
  readonly tools?: readonly Operation[];
  /** Host names that clients use besides loopback ones. */
  readonly allowedHosts?: readonly string[];
  readonly timeoutMs?: number;
  readonly retries?: number;
}

/** A listening MCP server. */
export interface McpHttp {
  readonly url: string;
  /** Lets calls in flight finish, then closes every stream and stops listening. */
  close(): Promise<void>;
}

/** Serves MCP over Streamable HTTP at /mcp; the API is called with the key that each client sends. */
export async function startMcpHttp(options: McpHttpOptions): Promise<McpHttp> {
  const { host, port, log } = options;
  const build = (key: string | undefined): McpServer => {
    const { apiUrl: baseUrl, timeoutMs = 30_000, retries = 2, tools } = options;
    const call = createApiClient({ baseUrl, key, timeoutMs, retries });
    return createSwitchboardServer({ call, log, ...(tools ? { tools } : {}) });
  };
  const sessions = createHttpSessions(build);
  const modern = createMcpHandler(({ authInfo }) => build(authInfo?.token), {
    legacy: 'reject',
    onerror: (error) => log.warn({ because: error.message.slice(0, 300) }, 'protocol error'),
  });
  const drain = createDrain();
  const app = createApp(options, drain.track, async (request, response) => {
    // The parser takes JSON only; the probe below would read any other body, and leave none to answer.
    if (request.method === 'POST' && request.body === undefined) {
      refuseMediaType(response);
      return;
    }
    const probe = await toWebRequest(request, request.body, { maxRequestBodySize: BODY_LIMIT });
    if (await isLegacyRequest(probe)) await sessions.handle(request, response, request.auth?.token ?? '');
    else await toNodeHandler(modern)(request, response, request.body);
  });
  const server = await listen(app, port, host);
  const { port: bound } = server.address() as AddressInfo;
  return {
    url: `http://${reachableHost(host)}:${String(bound)}/mcp`,
    close: async () => {
      const closed = once(server, 'close');
      server.close();
      await drain.empty();
      await Promise.all([modern.close(), sessions.closeAll()]);
      server.closeAllConnections();
      await closed;
    },
  };
}

type Serve = (request: Request, response: Response) => Promise<void>;

function createApp({ host, allowedHosts, log }: McpHttpOptions, track: RequestHandler, serve: Serve): Express {
  const app = express().disable('x-powered-by');
  app.get('/health/live', (_request, response) => void response.json({ status: 'ok' }));
  app.use('/mcp', ...guardNames(host, allowedHosts), requireKey, express.json({ limit: BODY_LIMIT }), track);
  app.all('/mcp', (request, response, next) => void serve(request, response).catch(next));
  app.use(answerErrors(log));
  return app;
}

function refuseMediaType(response: Response): void {
  response.status(415).json(rpcError(-32_700, 'Send one JSON-RPC message with Content-Type: application/json.'));
}

async function listen(app: Express, port: number, host: string): Promise<Server> {
  const server = app.listen(port, host);
  await once(server, 'listening');
  return server;
}
