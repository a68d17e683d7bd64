import {
  ProtocolError,
  ProtocolErrorCode,
  ResourceNotFoundError,
  ResourceTemplate,
} from '@modelcontextprotocol/server';
import type { McpServer, ReadResourceResult, ServerContext } from '@modelcontextprotocol/server';

import { getApproval } from '../contracts/approvals.ts';
import type { Operation } from '../contracts/operation.ts';
import { getSession } from '../contracts/sessions.ts';
import { readInbox } from '../contracts/status.ts';
import { getTask } from '../contracts/tasks.ts';
import type { CallApi } from './api-client.ts';
import { problemOf } from './problem.ts';
import { problemText } from './text/problem.ts';
import { traceIdOf } from './trace.ts';

const MIME = 'application/json';

/** A kind of thing that is read by its id. */
interface Readable {
  readonly name: string;
  readonly title: string;
  readonly operation: Operation;
  /** Field of the operation's input that the id goes to. */
  readonly idField: string;
}

const READABLES: readonly Readable[] = [
  { name: 'tasks', title: 'A task', operation: getTask, idField: 'task_id' },
  { name: 'approvals', title: 'An approval', operation: getApproval, idField: 'approval_id' },
  { name: 'sessions', title: 'A session', operation: getSession, idField: 'session_id' },
];

/** Offers the caller's inbox and every task, approval and session by its id as resources (MCP-3). */
export function registerResources(server: McpServer, call: CallApi): void {
  server.registerResource(
    'inbox',
    'switchboard://inbox',
    { title: 'Your inbox', description: 'Tasks, approvals and notifications that wait for you.', mimeType: MIME },
    (uri, ctx) => readWith(call, readInbox, {}, uri, ctx),
  );
  for (const { name, title, operation, idField } of READABLES) {
    server.registerResource(
      name,
      new ResourceTemplate(`switchboard://${name}/{id}`, { list: undefined }),
      { title, description: operation.summary, mimeType: MIME },
      (uri, { id }, ctx) => readWith(call, operation, { [idField]: String(id) }, uri, ctx),
    );
  }
}

async function readWith(
  call: CallApi,
  operation: Operation,
  input: Record<string, unknown>,
  uri: URL,
  ctx: ServerContext,
): Promise<ReadResourceResult> {
  if (!operation.input.safeParse(input).success) throw new ResourceNotFoundError(uri.href);
  const traceId = traceIdOf(ctx);
  try {
    const output = await call(operation, input, { signal: ctx.mcpReq.signal, traceId });
    return { contents: [{ uri: uri.href, mimeType: MIME, text: JSON.stringify(output, null, 2) }] };
  } catch (error) {
    const problem = problemOf(error, traceId);
    if (problem.code === 'not_found') throw new ResourceNotFoundError(uri.href);
    throw new ProtocolError(ProtocolErrorCode.InternalError, problemText(operation.name, problem), problem);
  }
}
