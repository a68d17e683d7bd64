import { MissingRequiredClientCapabilityError, ProtocolError, ProtocolErrorCode } from '@modelcontextprotocol/server';
import type { McpServer, Result, ServerContext } from '@modelcontextprotocol/server';
import { z } from 'zod';

import { knowsTasks, TASKS_EXTENSION } from '../client-capabilities.ts';
import type { TaskSnapshot } from './task.ts';

/** Where tasks are. Each answers undefined for an id that it does not know, or that is not the caller's to know. */
export interface TaskBackend {
  get(taskId: string, ctx: ServerContext): Promise<TaskSnapshot | undefined>;
  /** Takes answers to the questions of a task; answers to what was not asked, or not any more, are ignored. */
  update(taskId: string, responses: Readonly<Record<string, unknown>>, ctx: ServerContext): Promise<true | undefined>;
  /** Asks for the end of a task; one that has ended stays as it is. */
  cancel(taskId: string, ctx: ServerContext): Promise<true | undefined>;
}

const Params = z.looseObject({ taskId: z.string().min(1).max(200) });
const ACKNOWLEDGED: Result = { resultType: 'complete' };

/** Serves the methods of the task extension (SEP-2663); the server must declare it in `capabilities.extensions`. */
export function serveTasks(server: McpServer, backend: TaskBackend): void {
  const serve = (method: string, answer: (taskId: string, ctx: ServerContext) => Promise<Result | undefined>): void => {
    server.server.setRequestHandler(method, { params: Params }, async ({ taskId }, ctx) => {
      requireExtension(server, ctx);
      const result = await answer(taskId, ctx);
      if (result) return result;
      throw new ProtocolError(ProtocolErrorCode.InvalidParams, `Task not found: ${taskId}`);
    });
  };
  serve('tasks/get', async (taskId, ctx) => {
    const task = await backend.get(taskId, ctx);
    if (!task) return undefined;
    // The result is what the call would have answered, and a complete answer says that it is one.
    const result = task.result && { result: { ...task.result, resultType: 'complete' } };
    return { ...task, ...result, resultType: 'complete' };
  });
  serve('tasks/update', async (taskId, ctx) => {
    const known = await backend.update(taskId, responsesIn(ctx), ctx);
    return known && ACKNOWLEDGED;
  });
  serve('tasks/cancel', async (taskId, ctx) => (await backend.cancel(taskId, ctx)) && ACKNOWLEDGED);
}

function requireExtension(server: McpServer, ctx: ServerContext): void {
  if (knowsTasks(server, ctx)) return;
  throw new MissingRequiredClientCapabilityError({ requiredCapabilities: { extensions: { [TASKS_EXTENSION]: {} } } });
}

/** The SDK takes `inputResponses` out of the parameters of every method, and leaves out what is no answer. */
function responsesIn({ mcpReq }: ServerContext): Readonly<Record<string, unknown>> {
  const dropped = mcpReq.droppedInputResponseKeys ?? [];
  if (dropped.length > 0) {
    const keys = dropped.slice(0, 10).join(', ').slice(0, 300);
    throw new ProtocolError(ProtocolErrorCode.InvalidParams, `inputResponses: not an answer: ${keys}`);
  }
  if (mcpReq.inputResponses === undefined) {
    throw new ProtocolError(ProtocolErrorCode.InvalidParams, 'inputResponses is missing: an object of answers by key');
  }
  return mcpReq.inputResponses;
}
