import { isGrpcServiceError, ServiceError, WorkflowUpdateFailedError } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';

const FAILED_PRECONDITION = 9;
const TASK_FAILED = /unexpected workflow task failure/i;

const updateFailure = (error: unknown): string | undefined =>
  error instanceof WorkflowUpdateFailedError && error.cause instanceof ApplicationFailure
    ? (error.cause.type ?? undefined)
    : undefined;

/**
 * Failures of an update that are gone when it is sent again: the workflow continued as new before it came to it, or a
 * task of the workflow failed meanwhile, as when its worker was replaced.
 */
export function isPassing(error: unknown): boolean {
  if (updateFailure(error) === 'UnprocessedUpdate') return true;
  const cause = error instanceof ServiceError ? error.cause : error;
  if (!isGrpcServiceError(cause)) return false;
  const code: number = cause.code;
  return code === FAILED_PRECONDITION && TASK_FAILED.test(cause.details);
}

/** Whether the workflow ended before it answered the update. */
export const hasEnded = (error: unknown): boolean => updateFailure(error) === 'AcceptedUpdateCompletedWorkflow';
