import type { CallToolResult, McpServer, ServerContext } from '@modelcontextprotocol/server';

import type { Problem } from '../contracts/errors.ts';
import type { Operation } from '../contracts/operation.ts';
import type { Logger } from '../platform/log.ts';
import type { CallApi } from './api-client.ts';
import { readArguments } from './arguments.ts';
import { localProblem, problemOf } from './problem.ts';
import { toolSchemas } from './schemas.ts';
import { resultText } from './text.ts';
import { problemText } from './text/problem.ts';
import { traceIdOf } from './trace.ts';

type ErrorLog = Pick<Logger, 'error'>;

/** Where the problem document of a failed call is found in the result's `_meta`. */
const PROBLEM_META = 'switchboard/problem';

/** Offers an operation as a tool of the same name; the tool's body is the API call. */
export function registerTool(server: McpServer, operation: Operation, call: CallApi, log?: ErrorLog): void {
  const { name, tool, summary, description } = operation;
  server.registerTool(
    name,
    {
      title: tool?.title ?? name,
      description: description === undefined ? summary : `${summary} ${description}`,
      annotations: annotationsOf(operation),
      ...toolSchemas(operation),
    },
    (given: unknown, ctx: ServerContext) => runTool(operation, call, given, ctx, log),
  );
}

function annotationsOf({ tool, method }: Operation): Record<string, boolean> {
  const readOnlyHint = tool?.readOnly === true;
  // A repeated call of ours carries its own idempotency key, but a second call by the model is a second deed.
  const idempotentHint = readOnlyHint || method === 'get';
  return { readOnlyHint, destructiveHint: tool?.destructive === true, idempotentHint, openWorldHint: false };
}

async function runTool(
  operation: Operation,
  call: CallApi,
  given: unknown,
  ctx: ServerContext,
  log?: ErrorLog,
): Promise<CallToolResult> {
  const traceId = traceIdOf(ctx);
  const read = readArguments(operation, given);
  if (!read.ok) {
    const detail = `The arguments of ${operation.name} are not valid; nothing was done.`;
    return failed(operation, localProblem({ code: 'invalid_input', detail, traceId, errors: read.faults }));
  }
  try {
    const output = await call(operation, read.input, { signal: ctx.mcpReq.signal, traceId });
    const text = resultText(operation, output, read.input);
    return { content: [{ type: 'text', text }], structuredContent: output as Record<string, unknown> };
  } catch (error) {
    return failed(operation, problemOf(error, traceId, ctx.mcpReq.signal.aborted ? undefined : log));
  }
}

/** Not in structuredContent: clients check that against the output schema, failed or not. */
const failed = (operation: Operation, problem: Problem): CallToolResult => ({
  isError: true,
  content: [{ type: 'text', text: problemText(operation.name, problem) }],
  _meta: { [PROBLEM_META]: problem },
});
