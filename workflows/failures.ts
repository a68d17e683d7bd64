import { ApplicationFailure } from '@temporalio/common';

/** Whatever was thrown, as an Error. */
export const asError = (error: unknown): Error => (error instanceof Error ? error : new Error(String(error)));

/** The refusal inside a failed activity: a final answer with a code; undefined for any other failure. */
export function refusalIn(error: unknown): ApplicationFailure | undefined {
  const cause = error instanceof Error ? error.cause : undefined;
  return cause instanceof ApplicationFailure && cause.nonRetryable === true ? cause : undefined;
}
