import { ProtocolError, ProtocolErrorCode } from '@modelcontextprotocol/server';
import type { CallToolResult, InputRequiredResult, McpServer, ServerContext, Tool } from '@modelcontextprotocol/server';

import type { CreatedTask } from './tasks/task.ts';

/** What a tool answers: its result, a question to the client, or the handle of a task that goes on without it. */
export type ToolOutcome = CallToolResult | InputRequiredResult | CreatedTask;

/** A tool as it is listed, and what it does. */
export interface ServedTool {
  readonly definition: Tool;
  /** Answers failures of the work as results; throws only what the protocol has an error for. */
  run(given: unknown, ctx: ServerContext): Promise<ToolOutcome>;
}

/**
 * Serves tools from a list that may differ from request to request. The server needs `capabilities.tools`; its own
 * handlers are replaced, since they know neither lists that change by caller nor handles of tasks.
 */
export function serveTools(
  { server }: McpServer,
  toolsFor: (ctx: ServerContext) => Promise<readonly ServedTool[]>,
): void {
  server.setRequestHandler('tools/list', async (_request, ctx) => ({
    tools: (await toolsFor(ctx)).map(({ definition }) => definition),
  }));
  server.setRequestHandler('tools/call', async ({ params }, ctx) => {
    const tool = (await toolsFor(ctx)).find(({ definition }) => definition.name === params.name);
    if (!tool) throw new ProtocolError(ProtocolErrorCode.InvalidParams, `Tool ${params.name.slice(0, 200)} not found`);
    const outcome = await tool.run(params.arguments ?? {}, ctx);
    if (outcome['resultType'] !== undefined) return outcome as InputRequiredResult;
    return server.projectCallToolResult(outcome, tool.definition.outputSchema);
  });
}
