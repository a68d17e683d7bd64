import { spawn } from 'node:child_process';
import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import net from 'node:net';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { createInterface } from 'node:readline';

import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import type { ClientCapabilities, VersionNegotiationMode } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import type { ExecutionContext } from 'ava';

/** The stdio entry. */
export const STDIO_MAIN = path.resolve(import.meta.dirname, '../../../mcp-extension/stdio-main.ts');

/** A machine that runs much else is slow, not wrong. */
const PATIENCE_MS = 110_000;

/** What a test sees of a tool result. */
export interface ToolResult {
  readonly failed: boolean;
  readonly text: string;
  readonly output: Record<string, unknown>;
  /** The problem document of a failed call. */
  readonly problem: Record<string, unknown>;
}

/** What a test client can do and sends. */
export interface ClientSettings {
  readonly capabilities?: ClientCapabilities;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sees the client before it connects, e.g. to set handlers. */
  readonly prepare?: (client: Client) => void;
}

function clientOf(mode: VersionNegotiationMode, { capabilities = {}, prepare }: ClientSettings): Client {
  const client = new Client({ name: 'test', version: '1.0.0' }, { versionNegotiation: { mode }, capabilities });
  prepare?.(client);
  return client;
}

/** A client over stdio whose server is a child process; both end with the test. */
export async function stdioClient(
  t: ExecutionContext,
  env: Record<string, string>,
  mode: VersionNegotiationMode = 'legacy',
  settings: ClientSettings = {},
): Promise<Client> {
  const client = clientOf(mode, settings);
  const transport = new StdioClientTransport({ command: process.execPath, args: [STDIO_MAIN], env, stderr: 'ignore' });
  await client.connect(transport);
  t.teardown(() => client.close());
  return client;
}

/** A client over Streamable HTTP. */
export async function httpClient(
  t: ExecutionContext,
  url: string,
  key: string,
  mode: VersionNegotiationMode = 'legacy',
  settings: ClientSettings = {},
): Promise<Client> {
  const client = clientOf(mode, settings);
  const headers = { ...settings.headers, Authorization: `Bearer ${key}` };
  await client.connect(new StreamableHTTPClientTransport(new URL(url), { requestInit: { headers } }));
  t.teardown(() => client.close());
  return client;
}

/** Calls a tool and picks the parts of its result that tests look at. */
export async function callTool(client: Client, name: string, args: Record<string, unknown>): Promise<ToolResult> {
  const result = await client.callTool({ name, arguments: args }, { timeout: PATIENCE_MS });
  const [first] = result.content;
  return {
    failed: result.isError === true,
    text: first?.type === 'text' ? first.text : '',
    output: (result.structuredContent ?? {}) as Record<string, unknown>,
    problem: (result._meta?.['switchboard/problem'] ?? {}) as Record<string, unknown>,
  };
}

/** The server as a bare process, for what no well-behaved client would send. */
export interface RawServer {
  readonly child: ChildProcessWithoutNullStreams;
  send(line: unknown): void;
  /** The first message from the server that has this id. */
  answer(id: number): Promise<Record<string, unknown>>;
  /** Every line of standard output so far. */
  readonly lines: readonly string[];
  stderr(): string;
  exit(): Promise<number | null>;
}

/** Starts the stdio entry; it is killed with the test if it still runs. */
export function rawServer(t: ExecutionContext, env: Record<string, string>, args: readonly string[] = []): RawServer {
  const child = spawn(process.execPath, [STDIO_MAIN, ...args], { env: { PATH: process.env['PATH'] ?? '', ...env } });
  const exited = once(child, 'exit') as Promise<[number | null]>;
  const lines: string[] = [];
  let stderr = '';
  createInterface({ input: child.stdout }).on('line', (line) => lines.push(line));
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  child.stdin.on('error', () => undefined);
  t.teardown(() => child.kill('SIGKILL'));
  return {
    child,
    lines,
    send: (line) => void child.stdin.write(`${typeof line === 'string' ? line : JSON.stringify(line)}\n`),
    answer: (id) => until(() => lines.map(parse).find((message) => message['id'] === id)),
    stderr: () => stderr,
    exit: async () => (await exited)[0],
  };
}

/** Waits until there is something; a test's time limit ends the wait. */
export async function until<T>(look: () => T | undefined): Promise<T> {
  for (;;) {
    const found = look();
    if (found !== undefined) return found;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

function parse(line: string): Record<string, unknown> {
  return JSON.parse(line) as Record<string, unknown>;
}

/** The messages that open a 2025-era connection. */
export const OPENING = [
  {
    jsonrpc: '2.0',
    id: 1,
    method: 'initialize',
    params: { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'raw', version: '1' } },
  },
  { jsonrpc: '2.0', method: 'notifications/initialized' },
] as const;

/** An API that takes connections and requests but never answers. */
export async function silentApi(
  t: ExecutionContext,
): Promise<{ url: string; requests: string[]; closed: () => number }> {
  const requests: string[] = [];
  let closed = 0;
  const sockets = new Set<net.Socket>();
  const server = net.createServer((socket) => {
    sockets.add(socket);
    socket.on('data', (chunk) => requests.push(chunk.toString()));
    socket.on('error', () => undefined);
    socket.on('close', () => (closed += 1));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { url: `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`, requests, closed: () => closed };
}
