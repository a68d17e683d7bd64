import { isGrpcServiceError, ServiceError, WorkflowUpdateFailedError } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';

const FAILED_PRECONDITION = 9;
// The connection broke in the middle of the call, which grpc-js does not tell as UNAVAILABLE.
const INTERNAL = 13;
const BROKEN_OFF = /RST_STREAM/;
// WorkflowNotReady of Temporal's server: a task of the workflow failed, several failed in a row, or none has begun yet.
const NOT_READY =
  /unexpected workflow task failure|workflow task in failed state|not scheduled yet|not ready to handle|closed before WorkflowTaskStarted/i;

const updateFailure = (error: unknown): string | undefined =>
  error instanceof WorkflowUpdateFailedError && error.cause instanceof ApplicationFailure
    ? (error.cause.type ?? undefined)
    : undefined;

/**
 * Failures of an update that are gone when it is sent again: the workflow continued as new before it came to it, or a
 * task of the workflow failed meanwhile, as when its worker was replaced, or the connection to Temporal broke.
 */
export function isPassing(error: unknown): boolean {
  if (updateFailure(error) === 'UnprocessedUpdate') return true;
  const cause = error instanceof ServiceError ? error.cause : error;
  if (!isGrpcServiceError(cause)) return false;
  const code: number = cause.code;
  if (code === INTERNAL) return BROKEN_OFF.test(cause.details);
  return code === FAILED_PRECONDITION && NOT_READY.test(cause.details);
}

/** Whether the workflow ended before it answered the update. */
export const hasEnded = (error: unknown): boolean => updateFailure(error) === 'AcceptedUpdateCompletedWorkflow';
