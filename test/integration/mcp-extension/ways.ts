import type { Client, VersionNegotiationMode } from '@modelcontextprotocol/client';
import type { ExecutionContext } from 'ava';

import { startMcpHttp } from '../../../mcp-extension/http.ts';
import type { McpHttpOptions } from '../../../mcp-extension/http.ts';
import { httpClient, stdioClient } from './clients.ts';
import type { ClientSettings } from './clients.ts';

/** A logger that says nothing. */
export const silent = { info: () => undefined, warn: () => undefined, error: () => undefined };

/** What a connection needs: where the API is, and as whom. */
export interface Endpoint {
  readonly apiUrl: string;
  readonly key: string;
  /** Key of the person at the client. */
  readonly approverKey?: string;
  readonly elicitation?: boolean;
  readonly mcp?: Partial<McpHttpOptions>;
}

type Connect = (t: ExecutionContext, endpoint: Endpoint, settings?: ClientSettings) => Promise<Client>;

async function overHttp(
  t: ExecutionContext,
  { apiUrl, key, approverKey, elicitation = false, mcp }: Endpoint,
  mode: VersionNegotiationMode,
  settings: ClientSettings,
): Promise<Client> {
  const server = await startMcpHttp({ port: 0, host: '127.0.0.1', apiUrl, log: silent, elicitation, ...mcp });
  t.teardown(() => server.close());
  const headers = approverKey === undefined ? {} : { 'Switchboard-Approver-Key': approverKey };
  return httpClient(t, server.url, key, mode, { ...settings, headers });
}

async function overStdio(
  t: ExecutionContext,
  { apiUrl, key, approverKey, elicitation = false }: Endpoint,
  mode: VersionNegotiationMode,
  settings: ClientSettings,
): Promise<Client> {
  const env = {
    SWITCHBOARD_API_URL: apiUrl,
    SWITCHBOARD_API_KEY: key,
    SWITCHBOARD_MCP_ELICITATION: String(elicitation),
    ...(approverKey === undefined ? {} : { SWITCHBOARD_APPROVER_KEY: approverKey }),
  };
  return stdioClient(t, env, mode, settings);
}

/** The four ways to speak to the extension: two transports, two generations of the protocol. */
export const WAYS: Readonly<Record<string, Connect>> = {
  'stdio, 2025': (t, endpoint, settings = {}) => overStdio(t, endpoint, 'legacy', settings),
  'stdio, 2026': (t, endpoint, settings = {}) => overStdio(t, endpoint, 'auto', settings),
  'HTTP, 2025': (t, endpoint, settings = {}) => overHttp(t, endpoint, 'legacy', settings),
  'HTTP, 2026': (t, endpoint, settings = {}) => overHttp(t, endpoint, 'auto', settings),
};

/** One of the ways by name. */
export function wayOf(name: string): Connect {
  const connect = WAYS[name];
  if (!connect) throw new Error(`There is no way ${name}.`);
  return connect;
}

/** A connection of the 2026 protocol has no sessions and subscribes by listening. */
export const isNew = (way: string): boolean => way.endsWith('2026');
