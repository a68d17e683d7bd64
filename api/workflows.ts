import { setTimeout } from 'node:timers/promises';

import {
  WithStartWorkflowOperation,
  WorkflowExecutionAlreadyStartedError,
  WorkflowNotFoundError,
} from '@temporalio/client';
import type { Workflow } from '@temporalio/client';
import { TypedSearchAttributes } from '@temporalio/common';
import type { UpdateDefinition } from '@temporalio/common';

import { SEARCH_ATTRIBUTES } from '../contracts/search-attributes.ts';
import type { Call } from './call.ts';
import { withContent } from './content.ts';
import type { ApiDeps } from './deps.ts';
import { hasEnded, isPassing } from './passing.ts';

/** How long a caller waits for a workflow before it is told to come back. */
export const ANSWER_WITHIN_MS = 15_000;

export interface Start<A extends readonly unknown[]> {
  readonly type: string;
  readonly workflowId: string;
  readonly args: A;
  readonly kind: string;
  readonly role: string | null;
  readonly session: string | null;
}

function searchAttributes(
  call: Call,
  { kind, role, session }: Pick<Start<[]>, 'kind' | 'role' | 'session'>,
): TypedSearchAttributes {
  return new TypedSearchAttributes([
    { key: SEARCH_ATTRIBUTES.organisation, value: call.principal.organisation_id },
    { key: SEARCH_ATTRIBUTES.kind, value: kind },
    { key: SEARCH_ATTRIBUTES.status, value: 'admitting' },
    ...(role === null ? [] : [{ key: SEARCH_ATTRIBUTES.role, value: role }]),
    ...(session === null ? [] : [{ key: SEARCH_ATTRIBUTES.session, value: session }]),
  ]);
}

const pauseOf = (attempt: number): number => Math.min(500, 50 * 2 ** attempt);

/** Repeats what failed for a reason that passes, until the time is over; the update's id makes it happen once. */
async function untilAnswered<R>({ client }: ApiDeps, attempt: () => Promise<R>): Promise<R> {
  const deadline = Date.now() + ANSWER_WITHIN_MS;
  for (let attempts = 0; ; attempts += 1) {
    try {
      return await client.withDeadline(deadline, attempt);
    } catch (error) {
      const pause = pauseOf(attempts);
      if (!isPassing(error) || Date.now() + pause >= deadline) throw error;
      await setTimeout(pause);
    }
  }
}

/**
 * Starts a workflow and waits for its first answer, in one round trip. A repetition finds the workflow it started; where
 * that has ended with its answer out of reach, undefined.
 */
export async function startAndAsk<T extends Workflow, R>(
  deps: ApiDeps,
  call: Call,
  start: Start<Parameters<T>>,
  update: UpdateDefinition<R>,
): Promise<R | undefined> {
  const { client, taskQueue } = deps;
  // An operation of its own for each attempt: the SDK lets it be used once.
  const begin = (): WithStartWorkflowOperation<T> =>
    new WithStartWorkflowOperation<T>(start.type, {
      workflowId: start.workflowId,
      taskQueue,
      args: start.args,
      workflowIdConflictPolicy: 'USE_EXISTING',
      workflowIdReusePolicy: 'REJECT_DUPLICATE',
      typedSearchAttributes: searchAttributes(call, start),
    } as never);
  try {
    return await untilAnswered(deps, () =>
      client.workflow.executeUpdateWithStart(update, { startWorkflowOperation: begin(), updateId: call.id }),
    );
  } catch (error) {
    if (error instanceof WorkflowExecutionAlreadyStartedError || hasEnded(error))
      return firstAnswer<R>(deps, call, start.workflowId);
    throw error;
  }
}

/** The same for a workflow that masks words: they are kept sealed for it, and dropped where it was never created. */
export const startWithContent = <T extends Workflow, R>(
  deps: ApiDeps,
  call: Call,
  words: unknown,
  startOf: (content: string) => Start<Parameters<T>>,
  update: UpdateDefinition<R>,
): Promise<R | undefined> =>
  withContent(deps, call, words, (content) => startAndAsk<T, R>(deps, call, startOf(content), update), 'all');

/** What an update of a workflow that has ended was answered: a refusal stays the same refusal. */
async function firstAnswer<R>(deps: ApiDeps, call: Call, workflowId: string): Promise<R | undefined> {
  const handle = deps.client.workflow.getHandle(workflowId).getUpdateHandle<R>(call.id);
  try {
    return await untilAnswered(deps, () => handle.result());
  } catch (error) {
    if (error instanceof WorkflowNotFoundError || hasEnded(error)) return undefined;
    throw error;
  }
}

/** Sends an update and waits for its answer; undefined where the workflow has ended. The call's id makes it happen once. */
export async function ask<R, A extends [unknown]>(
  deps: ApiDeps,
  call: Call,
  workflowId: string,
  update: UpdateDefinition<R, A>,
  argument: A[0],
): Promise<R | undefined> {
  const handle = deps.client.workflow.getHandle(workflowId);
  try {
    return await untilAnswered(deps, () =>
      // A is a tuple of one, and this is that one; the compiler does not put the two together.
      handle.executeUpdate(update, { args: [argument] as unknown as A, updateId: call.id }),
    );
  } catch (error) {
    if (error instanceof WorkflowNotFoundError || hasEnded(error)) return undefined;
    throw error;
  }
}
