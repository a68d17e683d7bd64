import type { Client } from '@modelcontextprotocol/client';
import { createTaskSessionFromClient } from '@modelcontextprotocol/ext-tasks/client';
import type { TaskEnabledSession, WithTasksOptions } from '@modelcontextprotocol/ext-tasks/client';
import type { ExecutionContext } from 'ava';

const PROTOCOL = '2026-07-28';
const CLIENT = { name: 'test', version: '1.0.0' };
/** What the client declares with every request. */
export const CAPABILITIES = { elicitation: { form: {} }, extensions: { 'io.modelcontextprotocol/tasks': {} } };

/** An answer of the server to one message. */
export interface RpcAnswer {
  readonly result?: Record<string, unknown>;
  readonly error?: { readonly code: number; readonly message: string; readonly data?: unknown };
}

/** Sends one message of the 2026 protocol over HTTP as it is. */
export async function rpc(
  url: string,
  key: string,
  message: { readonly method: string; readonly params: Record<string, unknown> },
  capabilities: object = CAPABILITIES,
  more: Readonly<Record<string, string>> = {},
): Promise<RpcAnswer> {
  const { method, params } = message;
  const name = params['name'] ?? params['taskId'] ?? params['uri'];
  const meta = {
    'io.modelcontextprotocol/protocolVersion': PROTOCOL,
    'io.modelcontextprotocol/clientInfo': CLIENT,
    'io.modelcontextprotocol/clientCapabilities': capabilities,
  };
  const given = params['_meta'] as object | undefined;
  const response = await fetch(url, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      authorization: `Bearer ${key}`,
      'mcp-protocol-version': PROTOCOL,
      'mcp-method': method,
      ...(typeof name === 'string' ? { 'mcp-name': encoded(name) } : {}),
      ...more,
    },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params: { ...params, _meta: { ...given, ...meta } } }),
  });
  const text = await response.text();
  const isStream = response.headers.get('content-type')?.includes('event-stream') === true;
  const data = isStream ? [...text.matchAll(/^data: (.+)$/gm)].map(([, line]) => line ?? '').findLast(isAnswer) : text;
  return JSON.parse(data ?? '{}') as RpcAnswer;
}

const isAnswer = (line: string): boolean => 'id' in (JSON.parse(line) as object);

/** Names travel in a header; what is no plain ASCII, as SEP-2243 has it. */
const encoded = (name: string): string =>
  /^[\x21-\x7e]*$/.test(name) ? name : `=?base64?${Buffer.from(name).toString('base64')}?=`;

/** The published client of the task extension over a connected client; it ends with the test. */
export function taskSession(
  t: ExecutionContext,
  client: Client,
  url: string,
  key: string,
  options: WithTasksOptions = {},
): TaskEnabledSession {
  const session = createTaskSessionFromClient(client, {
    ...options,
    endpointId: 'switchboard-test',
    rawDispatch: async (request) => {
      const { method, params } = request as { method: string; params: Record<string, unknown> };
      const { result, error } = await rpc(url, key, { method, params });
      if (error) return { kind: 'error', error: error as never };
      return { kind: 'result', result: result as never };
    },
    v2RequestFraming: { protocolVersion: PROTOCOL, clientInfo: CLIENT, clientCapabilities: CAPABILITIES },
  });
  t.teardown(() => session.close());
  return session;
}
