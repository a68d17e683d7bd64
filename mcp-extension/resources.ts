import {
  ProtocolError,
  ProtocolErrorCode,
  ResourceNotFoundError,
  ResourceTemplate,
} from '@modelcontextprotocol/server';
import type { McpServer, ReadResourceResult, ServerContext } from '@modelcontextprotocol/server';

import { getApproval, listApprovals } from '../contracts/approvals.ts';
import type { Operation } from '../contracts/operation.ts';
import { getOwnProfile } from '../contracts/profiles.ts';
import { getSession, listSessions } from '../contracts/sessions.ts';
import { readInbox } from '../contracts/status.ts';
import { getTask, listTasks } from '../contracts/tasks.ts';
import type { CallApi } from './api-client.ts';
import { INBOX_URI, PROFILE_URI } from './events/resource-uris.ts';
import { problemOf } from './problem.ts';
import { problemText } from './text/problem.ts';
import { traceIdOf } from './trace.ts';

const MIME = 'application/json';
const RESOURCE = /^switchboard:\/\/(tasks|approvals|sessions)\/([^/?#]+)$/;

/** A kind of thing that is read by its id. */
interface Readable {
  readonly name: string;
  readonly title: string;
  readonly operation: Operation;
  /** Field of the operation's input that the id goes to. */
  readonly idField: string;
  /** Ids that the caller may mean, newest first. */
  readonly ids: (call: CallApi) => Promise<readonly string[]>;
}

const idsOf = (list: readonly { readonly id: string }[]): string[] => list.map(({ id }) => id);

const READABLES: readonly Readable[] = [
  {
    name: 'tasks',
    title: 'A task',
    operation: getTask,
    idField: 'task_id',
    ids: async (call) => idsOf((await call(listTasks, {})).tasks),
  },
  {
    name: 'approvals',
    title: 'An approval',
    operation: getApproval,
    idField: 'approval_id',
    ids: async (call) => idsOf((await call(listApprovals, {})).approvals),
  },
  {
    name: 'sessions',
    title: 'A session',
    operation: getSession,
    idField: 'session_id',
    ids: async (call) => idsOf((await call(listSessions, {})).sessions),
  },
];

/** Offers the caller's inbox and every task, approval and session by its id as resources (MCP-3). */
export function registerResources(server: McpServer, call: CallApi): void {
  server.registerResource(
    'inbox',
    INBOX_URI,
    { title: 'Your inbox', description: 'Tasks, approvals and notifications that wait for you.', mimeType: MIME },
    (uri, ctx) => readResource(call, uri.href, ctx),
  );
  server.registerResource(
    'profile',
    PROFILE_URI,
    { title: 'Your profile', description: 'What your role is given and held to.', mimeType: MIME },
    (uri, ctx) => readResource(call, uri.href, ctx),
  );
  for (const { name, title, operation, ids } of READABLES) {
    // An empty list where the API does not answer: a completion is a help, never an error.
    const complete = async (value: string): Promise<string[]> =>
      (await ids(call).catch(() => [])).filter((id) => id.startsWith(value));
    server.registerResource(
      name,
      new ResourceTemplate(`switchboard://${name}/{id}`, { list: undefined, complete: { id: complete } }),
      { title, description: operation.summary, mimeType: MIME },
      (uri, _variables, ctx) => readResource(call, uri.href, ctx),
    );
  }
}

/** Reads a resource as the caller may see it; the protocol's not-found error for all that it may not, or that is not. */
export async function readResource(call: CallApi, uri: string, ctx: ServerContext): Promise<ReadResourceResult> {
  const { operation, input } = operationFor(uri);
  const traceId = traceIdOf(ctx);
  try {
    const output = await call(operation, input, { signal: ctx.mcpReq.signal, traceId });
    return { contents: [{ uri, mimeType: MIME, text: JSON.stringify(output, null, 2) }] };
  } catch (error) {
    const problem = problemOf(error, traceId);
    if (problem.code === 'not_found') throw new ResourceNotFoundError(uri);
    throw new ProtocolError(ProtocolErrorCode.InternalError, problemText(operation.name, problem), problem);
  }
}

function operationFor(uri: string): { operation: Operation; input: Record<string, unknown> } {
  if (uri === INBOX_URI) return { operation: readInbox, input: {} };
  if (uri === PROFILE_URI) return { operation: getOwnProfile, input: {} };
  const [, room, id] = RESOURCE.exec(uri) ?? [];
  const readable = READABLES.find(({ name }) => name === room);
  const input = readable && { [readable.idField]: id };
  if (!readable || !input || !readable.operation.input.safeParse(input).success) {
    throw new ResourceNotFoundError(uri.slice(0, 500));
  }
  return { operation: readable.operation, input };
}
