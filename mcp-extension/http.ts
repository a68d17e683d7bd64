import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';

import { toWebRequest } from '@modelcontextprotocol/node';
import { isLegacyRequest } from '@modelcontextprotocol/server';
import type { McpServer, ProtocolEra } from '@modelcontextprotocol/server';
import express from 'express';
import type { Express, Request, RequestHandler, Response } from 'express';

import type { Operation } from '../contracts/operation.ts';
import { reachableHost } from '../platform/config.ts';
import type { Logger } from '../platform/log.ts';
import { prepareCallers } from './callers.ts';
import type { CallerKeys } from './callers.ts';
import type { Credentials } from './credentials.ts';
import { createDrain } from './drain.ts';
import { createListenBus } from './events/listen-bus.ts';
import { createEventStreams } from './events/streams.ts';
import { answerErrors, callerOf, guardNames, requireKey } from './http-guard.ts';
import { createModern } from './http-modern.ts';
import { createHttpSessions } from './http-sessions.ts';
import type { ProtectedResource } from './oauth/resource.ts';
import { rpcError } from './rpc-error.ts';
import { createSwitchboardServer } from './server.ts';

/** A body holds a payload of at most 256 KiB with its envelope; what is larger is refused unread. */
const BODY_LIMIT = 1024 * 1024;

const KEEP_ALIVE_MS = 15_000;

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
  /** Whether the person at a client may be asked to decide approvals. */
  readonly elicitation?: boolean;
  /** How often an open stream says that it is alive, as an SSE comment, so that no proxy cuts it. */
  readonly keepAliveMs?: number;
  /** Tokens for this server; without it callers send development keys. */
  readonly resource?: ProtectedResource | undefined;
  /** Whether development keys are taken too, true unless there are tokens. */
  readonly staticKeys?: boolean;
  /** Builds the server of a client; Switchboard's own unless given. */
  readonly build?: BuildServer;
}

/** Builds a server for whoever presents these keys, in the protocol that is spoken. */
export type BuildServer = (keys: CallerKeys, era: ProtocolEra) => McpServer;

/** A listening MCP server. */
export interface McpHttp {
  readonly url: string;
  /** Lets calls in flight finish, then closes every stream and stops listening. */
  close(): Promise<void>;
}

/** Serves MCP over Streamable HTTP at /mcp; the API is called with the key that each client sends. */
export async function startMcpHttp(options: McpHttpOptions): Promise<McpHttp> {
  const { host, port, log, apiUrl, keepAliveMs = KEEP_ALIVE_MS } = options;
  const credentials = credentialsOf(options.resource);
  const streams = createEventStreams({ apiUrl, log, credentials });
  const serverOptions = prepareCallers({ ...options, streams, credentials });
  const build = options.build ?? ((keys, era) => createSwitchboardServer({ ...serverOptions(keys), era }));
  const sessions = createHttpSessions((keys) => build(keys, 'legacy'), keepAliveMs);
  const modern = createModern(build, createListenBus(streams), { log, keepAliveMs });
  const drain = createDrain();
  const app = createApp(options, drain.track, async (request, response) => {
    // The parser takes JSON only; the probe below would read any other body, and leave none to answer.
    if (request.method === 'POST' && request.body === undefined) {
      refuseMediaType(response);
      return;
    }
    const probe = await toWebRequest(request, request.body, { maxRequestBodySize: BODY_LIMIT });
    if (await isLegacyRequest(probe)) await sessions.handle(request, response, callerOf(request.auth));
    else await modern.handle(request, response);
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
      streams.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

type Serve = (request: Request, response: Response) => Promise<void>;

/** Development keys go to the API as they are, everybody else's tokens are exchanged. */
const credentialsOf =
  (resource: ProtectedResource | undefined): Credentials =>
  (key) =>
    resource && !key.startsWith('sbk_') ? resource.credentials(key) : key;

function createApp(options: McpHttpOptions, track: RequestHandler, serve: Serve): Express {
  const { host, allowedHosts, log, resource, staticKeys = resource === undefined } = options;
  const app = express().disable('x-powered-by');
  app.get('/health/live', (_request, response) => void response.json({ status: 'ok' }));
  if (resource)
    app.get(['/.well-known/oauth-protected-resource', new URL(resource.metadataUrl).pathname], (_request, response) => {
      // Clients in browsers look for it from their own origin; there is nothing secret in it.
      response.set({ 'Access-Control-Allow-Origin': '*', 'Cache-Control': 'public, max-age=300' });
      response.json(resource.metadata);
    });
  const authorised = requireKey({ resource, staticKeys });
  app.use('/mcp', ...guardNames(host, allowedHosts), authorised, express.json({ limit: BODY_LIMIT }), track);
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
