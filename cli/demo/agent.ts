import path from 'node:path';

import { Client } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';

import { Refused } from './actor.ts';
import type { Actor, Call } from './actor.ts';
import type { Member } from './members.ts';
import { RecordingTransport } from './wire.ts';

const EXTENSION = path.resolve(import.meta.dirname, '../../mcp-extension/stdio-main.ts');

/** Long enough for the extension's own repetitions while a part of the product is started again. */
const ANSWER_WITHIN_MS = 180_000;

/** An agent: an MCP client with an extension process of its own. */
export interface Agent extends Actor {
  readonly kind: 'agent';
  /** JSON text of every message its client received, oldest first. */
  readonly received: readonly string[];
  /** Reads a resource as JSON. */
  read(uri: string): Promise<unknown>;
  close(): Promise<void>;
}

/** Starts an agent's extension process, which signs in by itself. */
export async function openAgent(
  { id, name, role, env: signIn }: Member,
  apiUrl: string,
  env: Readonly<Record<string, string>> = {},
): Promise<Agent> {
  const settings = { SWITCHBOARD_API_URL: apiUrl, SWITCHBOARD_LOG_LEVEL: 'error', ...signIn, ...env };
  const transport = new RecordingTransport(
    new StdioClientTransport({
      command: process.execPath,
      args: [EXTENSION],
      env: { PATH: process.env['PATH'] ?? '', ...settings },
      stderr: 'ignore',
    }),
  );
  const client = new Client({ name, version: '1.0.0' });
  await client.connect(transport);
  return {
    kind: 'agent',
    id,
    name,
    role,
    received: transport.received,
    call: callerOf(client),
    read: async (uri) => {
      const { contents } = await client.readResource({ uri });
      const [first] = contents;
      return first && 'text' in first ? (JSON.parse(first.text) as unknown) : undefined;
    },
    close: () => client.close(),
  };
}

const callerOf =
  (client: Client): Call =>
  async (operation, input) => {
    const { name } = operation;
    const result = await client.callTool({ name, arguments: input }, { timeout: ANSWER_WITHIN_MS });
    if (result.isError === true) throw new Refused(name, problemIn(result));
    return operation.output.parse(result.structuredContent);
  };

function problemIn({ _meta, content }: Awaited<ReturnType<Client['callTool']>>): { code?: unknown; detail?: unknown } {
  const problem = _meta?.['switchboard/problem'];
  if (typeof problem === 'object' && problem !== null) return problem;
  const [first] = content;
  return { detail: first?.type === 'text' ? first.text : 'no text' };
}
