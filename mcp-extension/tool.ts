import type { CallToolResult, ServerContext, Tool } from '@modelcontextprotocol/server';

import type { Problem } from '../contracts/errors.ts';
import type { Operation } from '../contracts/operation.ts';
import type { Logger } from '../platform/log.ts';
import type { CallApi, CallOptions } from './api-client.ts';
import { readArguments } from './arguments.ts';
import { localProblem, problemOf } from './problem.ts';
import { reportProgress } from './progress.ts';
import { toolSchemas } from './schemas.ts';
import type { ServedTool, ToolOutcome } from './serve-tools.ts';
import { resultText } from './text.ts';
import { problemText } from './text/problem.ts';
import { traceIdOf } from './trace.ts';

/** Where the problem document of a failed call is found in the result's `_meta`. */
const PROBLEM_META = 'switchboard/problem';

type Fields = Record<string, unknown>;

/** What a tool does beyond the API call, for the few operations that do more. */
export interface ToolTurn {
  /** What an earlier round left to do; undefined for a first round. */
  before?(ctx: ServerContext, options: CallOptions): Promise<ToolOutcome | undefined>;
  /** What becomes of the output; undefined for the plain result. */
  after?(output: Fields, input: Fields, ctx: ServerContext, options: CallOptions): Promise<ToolOutcome | undefined>;
}

/** What tools are made with. */
export interface ToolContext {
  readonly call: CallApi;
  readonly log?: Pick<Logger, 'error'> | undefined;
  readonly turn?: ToolTurn | undefined;
}

/** Offers an operation as a tool of the same name; the tool's body is the API call. */
export function operationTool(operation: Operation, context: ToolContext): ServedTool {
  return { definition: definitionOf(operation), run: (given, ctx) => runTool(operation, context, given, ctx) };
}

function definitionOf(operation: Operation): Tool {
  const { name, tool, summary, description } = operation;
  return {
    name,
    title: tool?.title ?? name,
    description: description === undefined ? summary : `${summary} ${description}`,
    annotations: annotationsOf(operation),
    ...toolSchemas(operation),
  };
}

function annotationsOf({ tool, method }: Operation): Record<string, boolean> {
  const readOnlyHint = tool?.readOnly === true;
  // A repeated call of ours carries its own idempotency key, but a second call by the model is a second deed.
  const idempotentHint = readOnlyHint || method === 'get';
  return { readOnlyHint, destructiveHint: tool?.destructive === true, idempotentHint, openWorldHint: false };
}

async function runTool(
  operation: Operation,
  { call, turn, log }: ToolContext,
  given: unknown,
  ctx: ServerContext,
): Promise<ToolOutcome> {
  const traceId = traceIdOf(ctx);
  const { signal } = ctx.mcpReq;
  const read = readArguments(operation, given);
  if (!read.ok) {
    const detail = `The arguments of ${operation.name} are not valid; nothing was done.`;
    return failed(operation, localProblem({ code: 'invalid_input', detail, traceId, errors: read.faults }));
  }
  const waitMs = waitOf(read.input);
  const progress = reportProgress(ctx, waitMs === 0 ? undefined : waitMs / 1000);
  const options: CallOptions = { signal, traceId, waitMs, onRetry: (message) => progress.say(message) };
  try {
    const resumed = await turn?.before?.(ctx, options);
    if (resumed) return resumed;
    const output = (await call(operation, read.input, options)) as Fields;
    return (await turn?.after?.(output, read.input, ctx, options)) ?? plainResult(operation, output, read.input);
  } catch (error) {
    return failed(operation, problemOf(error, traceId, signal.aborted ? undefined : log));
  } finally {
    progress.stop();
  }
}

/** Milliseconds that an operation was asked to wait for news, as `30s` in its field `wait`. */
function waitOf({ wait }: Fields): number {
  return typeof wait === 'string' && /^\d{1,2}s$/.test(wait) ? Number(wait.slice(0, -1)) * 1000 : 0;
}

/** The result of a call: what models read and what programs read. */
export const plainResult = (operation: Operation, output: Fields, input: Fields, note?: string): CallToolResult => {
  const text = resultText(operation, output, input);
  return { content: [{ type: 'text', text: note ? `${text}\n${note}` : text }], structuredContent: output };
};

/** Not in structuredContent: clients check that against the output schema, failed or not. */
const failed = (operation: Operation, problem: Problem): CallToolResult => ({
  isError: true,
  content: [{ type: 'text', text: problemText(operation.name, problem) }],
  _meta: { [PROBLEM_META]: problem },
});
