import { WithStartWorkflowOperation, WorkflowNotFoundError } from '@temporalio/client';
import type { Workflow } from '@temporalio/client';
import { TypedSearchAttributes } from '@temporalio/common';
import type { UpdateDefinition } from '@temporalio/common';

import type { Json } from '../contracts/json.ts';
import { SEARCH_ATTRIBUTES } from '../contracts/search-attributes.ts';
import { putSealed } from '../db/contents.ts';
import type { Call } from './call.ts';
import { contentIdOf } from './call.ts';
import type { ApiDeps } from './deps.ts';

/** How long a caller waits for a workflow before it is told to come back. */
const ANSWER_WITHIN_MS = 15_000;

/** Keeps words and data of a request sealed until a workflow masks them; workflows get only the id. */
export async function storeContent({ database, envelope }: ApiDeps, call: Call, value: unknown): Promise<string> {
  const id = contentIdOf(call);
  const { organisation_id } = call.principal;
  const sealed = envelope.seal(organisation_id, id, JSON.parse(JSON.stringify(value)) as Json);
  await database.inOrganisation(organisation_id, (sql) => putSealed(sql, id, sealed));
  return id;
}

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

/** Starts a workflow and waits for its first answer, in one round trip; a repetition finds the workflow it started. */
export function startAndAsk<T extends Workflow, R>(
  { client, taskQueue }: ApiDeps,
  call: Call,
  start: Start<Parameters<T>>,
  update: UpdateDefinition<R, []>,
): Promise<R> {
  const startWorkflowOperation = new WithStartWorkflowOperation<T>(start.type, {
    workflowId: start.workflowId,
    taskQueue,
    args: start.args,
    workflowIdConflictPolicy: 'USE_EXISTING',
    workflowIdReusePolicy: 'REJECT_DUPLICATE',
    typedSearchAttributes: searchAttributes(call, start),
  } as never);
  return client.withDeadline(Date.now() + ANSWER_WITHIN_MS, () =>
    client.workflow.executeUpdateWithStart(update, { startWorkflowOperation, updateId: call.id }),
  );
}

/** Sends an update and waits for its answer; undefined where the workflow has ended. The call's id makes it happen once. */
export async function ask<R, A extends [unknown]>(
  { client }: ApiDeps,
  call: Call,
  workflowId: string,
  update: UpdateDefinition<R, A>,
  argument: A[0],
): Promise<R | undefined> {
  const handle = client.workflow.getHandle(workflowId);
  try {
    return await client.withDeadline(Date.now() + ANSWER_WITHIN_MS, () =>
      handle.executeUpdate(update, { args: [argument] as unknown as A, updateId: call.id }),
    );
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return undefined;
    throw error;
  }
}
