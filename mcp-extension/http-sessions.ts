import { createHash, randomUUID } from 'node:crypto';

import { NodeStreamableHTTPServerTransport } from '@modelcontextprotocol/node';
import { isInitializeRequest } from '@modelcontextprotocol/server';
import type { McpServer } from '@modelcontextprotocol/server';
import type { Request, Response } from 'express';

import type { CallerKeys } from './callers.ts';
import { createEventStore } from './event-store.ts';
import { rpcError } from './rpc-error.ts';

const MOST_SESSIONS = 1_000;
const IDLE_MS = 30 * 60_000;
/** How soon a client whose stream broke is told to come back. */
const RETRY_MS = 500;

interface Session {
  readonly transport: NodeStreamableHTTPServerTransport;
  readonly owner: string;
  lastUsed: number;
  open: number;
}

/** The sessions of 2025-era HTTP clients, which the newer protocol does without. */
export interface HttpSessions {
  handle(request: Request, response: Response, keys: CallerKeys): Promise<void>;
  closeAll(): Promise<void>;
}

/** Keeps sessions; the least recently used ends where there are too many, every one when idle for long. */
export function createHttpSessions(build: (keys: CallerKeys) => McpServer, keepAliveMs: number): HttpSessions {
  const sessions = new Map<string, Session>();
  const sweep = setInterval(() => endIdle(sessions), 60_000).unref();

  const open = async (keys: CallerKeys): Promise<NodeStreamableHTTPServerTransport> => {
    const transport = new NodeStreamableHTTPServerTransport({
      sessionIdGenerator: randomUUID,
      eventStore: createEventStore(),
      keepAliveMs,
      retryInterval: RETRY_MS,
      onsessioninitialized: (id) => {
        if (sessions.size >= MOST_SESSIONS) endOldest(sessions);
        sessions.set(id, { transport, owner: fingerprint(keys), lastUsed: Date.now(), open: 0 });
      },
      onsessionclosed: (id) => void sessions.delete(id),
    });
    await build(keys).connect(transport);
    return transport;
  };

  return {
    handle: async (request, response, keys) => {
      const id = request.get('mcp-session-id');
      if (id === undefined) {
        if (opensSession(request)) await (await open(keys)).handleRequest(request, response, request.body);
        else refuse(response, 400, 'Send initialize first: this request has no session.');
        return;
      }
      const session = sessions.get(id);
      // Another key's session is answered like one that never was.
      if (session?.owner !== fingerprint(keys)) {
        refuse(response, 404, 'Session not found; initialize again.');
        return;
      }
      keepAlive(session, response);
      await session.transport.handleRequest(request, response, request.body);
    },
    closeAll: async () => {
      clearInterval(sweep);
      await Promise.all([...sessions.values()].map(({ transport }) => transport.close()));
      sessions.clear();
    },
  };
}

const opensSession = ({ method, body }: Request): boolean =>
  method === 'POST' &&
  (Array.isArray(body) ? (body as unknown[]).some(isInitializeRequest) : isInitializeRequest(body));

const fingerprint = ({ key = '', approverKey = '' }: CallerKeys): string =>
  createHash('sha256')
    .update(JSON.stringify([key, approverKey]))
    .digest('base64');

function refuse(response: Response, status: number, message: string): void {
  response.status(status).json(rpcError(status === 404 ? -32_001 : -32_600, message));
}

/** A session with an open stream is in use, however long nothing is sent on it. */
function keepAlive(session: Session, response: Response): void {
  session.open += 1;
  session.lastUsed = Date.now();
  response.once('close', () => {
    session.open -= 1;
    session.lastUsed = Date.now();
  });
}

function endIdle(sessions: Map<string, Session>): void {
  for (const [id, session] of sessions) {
    if (session.open === 0 && Date.now() - session.lastUsed > IDLE_MS) end(sessions, id);
  }
}

function endOldest(sessions: Map<string, Session>): void {
  const oldest = [...sessions].sort(([, a], [, b]) => a.lastUsed - b.lastUsed)[0];
  if (oldest) end(sessions, oldest[0]);
}

function end(sessions: Map<string, Session>, id: string): void {
  const session = sessions.get(id);
  sessions.delete(id);
  void session?.transport.close();
}
