import { CLIENT_CAPABILITIES_META_KEY } from '@modelcontextprotocol/server';
import type { ClientCapabilities, McpServer, ServerContext } from '@modelcontextprotocol/server';

/** Name of the protocol's task extension (SEP-2663). */
export const TASKS_EXTENSION = 'io.modelcontextprotocol/tasks';

/** True for a request of the 2026-07-28 protocol, whose every request says what its client can do. */
export const isModern = ({ mcpReq }: ServerContext): boolean => mcpReq.envelope !== undefined;

/** What the client of a request can do: as the request says, or as its 2025-era connection said at the start. */
export function capabilitiesOf({ server }: McpServer, ctx: ServerContext): ClientCapabilities {
  const envelope = ctx.mcpReq.envelope as Readonly<Record<string, unknown>> | undefined;
  // Deprecated for the 2026 protocol alone: a 2025-era connection says this once, and nowhere else.
  // eslint-disable-next-line @typescript-eslint/no-deprecated
  if (!envelope) return server.getClientCapabilities() ?? {};
  // The SDK checks the envelope's form before any handler runs.
  return envelope[CLIENT_CAPABILITIES_META_KEY] ?? {};
}

/** Whether the client shows forms to the person at it. A client that names neither form nor URL means forms. */
export function showsForms({ elicitation }: ClientCapabilities): boolean {
  return elicitation !== undefined && (elicitation.form !== undefined || elicitation.url === undefined);
}

/** Whether a request of the 2026-07-28 protocol declares the task extension. */
export const knowsTasks = (server: McpServer, ctx: ServerContext): boolean =>
  isModern(ctx) && capabilitiesOf(server, ctx).extensions?.[TASKS_EXTENSION] !== undefined;
