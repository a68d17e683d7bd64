import { ApplicationFailure } from '@temporalio/common';

/** Whatever was thrown, as an Error. */
export const asError = (error: unknown): Error => (error instanceof Error ? error : new Error(String(error)));

/**
 * The refusal inside a failed activity: a final answer with a code; undefined for any other failure. A local activity's
 * failure comes as it was thrown, a normal one's wrapped in an ActivityFailure.
 */
export function refusalIn(error: unknown): ApplicationFailure | undefined {
  for (let cause = error; cause instanceof Error; cause = cause.cause)
    if (cause instanceof ApplicationFailure) return cause.nonRetryable === true ? cause : undefined;
  return undefined;
}
