import { ProtocolError, ProtocolErrorCode } from '@modelcontextprotocol/server';
import type { McpServer, ServerContext } from '@modelcontextprotocol/server';

import { getApproval, withdrawApproval } from '../../contracts/approvals.ts';
import type { ApprovalView } from '../../contracts/approvals.ts';
import { ApprovalId, TaskId } from '../../contracts/ids.ts';
import { cancelTask, getTask } from '../../contracts/tasks.ts';
import type { CallApi, CallOptions } from '../api-client.ts';
import { capabilitiesOf, showsForms } from '../client-capabilities.ts';
import { decidable, decideAs } from '../elicitation/person.ts';
import { decisionIn, questionOf } from '../elicitation/question.ts';
import type { FormDecision } from '../elicitation/question.ts';
import { ApiProblem, problemOf } from '../problem.ts';
import { problemText } from '../text/problem.ts';
import { traceIdOf } from '../trace.ts';
import { approvalSnapshot } from './approval-snapshot.ts';
import type { TaskBackend } from './serve-tasks.ts';
import type { TaskSnapshot } from './task.ts';
import { taskSnapshot } from './task-snapshot.ts';

/** Whose tasks: calls as the client, and as the person at it where that person may be asked. */
export interface TaskCaller {
  readonly server: McpServer;
  readonly call: CallApi;
  readonly person: CallApi | undefined;
}

/** What ended meanwhile cannot be cancelled; the protocol acknowledges that all the same. */
const ENDED = new Set(['illegal_transition', 'approval_already_decided', 'approval_expired']);

/** Tasks and approvals as tasks of the protocol (MCP-4): their ids are the handles, and nothing is kept here. */
export function switchboardTasks({ server, call, person }: TaskCaller): TaskBackend {
  const askable = (ctx: ServerContext): CallApi | undefined =>
    showsForms(capabilitiesOf(server, ctx)) ? person : undefined;
  return {
    get: (id, ctx) => found(ctx, (options) => snapshot(id, { call, person: askable(ctx) }, options)),
    update: (id, responses, ctx) =>
      found(ctx, async (options) => {
        const current = await snapshot(id, { call, person: askable(ctx) }, options);
        if (current?.shown && person) await answer(person, current.shown, responses, options);
        return current && true;
      }),
    cancel: (id, ctx) => found(ctx, (options) => cancel(id, call, options)),
  };
}

interface Seen extends TaskSnapshot {
  /** The approval as the person sees who is asked about it. */
  readonly shown?: ApprovalView;
}

async function snapshot(
  id: string,
  { call, person }: Pick<TaskCaller, 'call' | 'person'>,
  options: CallOptions,
): Promise<Seen | undefined> {
  if (TaskId.safeParse(id).success) return taskSnapshot(await call(getTask, { task_id: id }, options));
  if (!ApprovalId.safeParse(id).success) return undefined;
  const approval = await call(getApproval, { approval_id: id }, options);
  const own = approvalSnapshot(approval);
  const shown = person && own.status === 'working' ? await decidable(person, id, options) : undefined;
  if (!shown) return own;
  const inputRequests = { [keyOf(shown)]: { method: 'elicitation/create' as const, params: questionOf(shown) } };
  return hidden({ ...own, status: 'input_required', inputRequests }, shown);
}

/** The approval travels with the snapshot but is no part of it: it is not listed, so it is not sent. */
function hidden(task: TaskSnapshot, shown: ApprovalView): Seen {
  Object.defineProperty(task, 'shown', { value: shown, enumerable: false });
  return task;
}

/** A question's key names what was shown: a revised request, or an edited action, is another question. */
const keyOf = ({ revision, digest }: ApprovalView): string =>
  `decision-${String(revision)}${digest === null ? '' : `-${digest.slice(-12)}`}`;

async function answer(
  person: CallApi,
  shown: ApprovalView,
  responses: Readonly<Record<string, unknown>>,
  options: CallOptions,
): Promise<void> {
  const key = keyOf(shown);
  const decision = Object.hasOwn(responses, key) ? decisionOf(key, responses[key]) : undefined;
  if (decision) await decideAs(person, shown, decision, options);
}

/** The decision in an answer; undefined where the person left it open. Anything else is refused, and decides nothing. */
function decisionOf(key: string, response: unknown): FormDecision | undefined {
  const { action, content } = (response ?? {}) as { action?: unknown; content?: unknown };
  if (action === 'decline' || action === 'cancel') return undefined;
  const decision = action === 'accept' ? decisionIn(content) : undefined;
  if (decision) return decision;
  const message = `inputResponses.${key} is no decision: {"action":"accept","content":{"decision":"approve | reject | request_changes"}}`;
  throw new ProtocolError(ProtocolErrorCode.InvalidParams, message);
}

/** Read first: whoever may not see it is told that it does not exist, not that it may not be cancelled. */
async function cancel(id: string, call: CallApi, options: CallOptions): Promise<true | undefined> {
  const task = await snapshot(id, { call, person: undefined }, options);
  if (!task || task.status !== 'working') return task && true;
  try {
    if (TaskId.safeParse(id).success) await call(cancelTask, { task_id: id }, options);
    else await call(withdrawApproval, { approval_id: id }, options);
  } catch (error) {
    if (!(error instanceof ApiProblem) || !ENDED.has(error.code)) throw error;
  }
  return true;
}

/** Answers undefined for what the API does not find, and errors of the protocol for its other refusals. */
async function found<T>(
  ctx: ServerContext,
  work: (options: CallOptions) => Promise<T | undefined>,
): Promise<T | undefined> {
  const traceId = traceIdOf(ctx);
  try {
    return await work({ signal: ctx.mcpReq.signal, traceId });
  } catch (error) {
    if (error instanceof ProtocolError) throw error;
    const problem = problemOf(error, traceId);
    if (problem.code === 'not_found') return undefined;
    const code = problem.status < 500 ? ProtocolErrorCode.InvalidRequest : ProtocolErrorCode.InternalError;
    throw new ProtocolError(code, problemText(ctx.mcpReq.method, problem), problem);
  }
}
