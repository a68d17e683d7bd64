import { ProviderAwayError, SignInNeededError } from '../platform/sign-in/errors.ts';
import { ApiProblem, localProblem } from './problem.ts';

/** What the API is called with for a caller, by the caller's key; may be asked of a provider first. */
export type Credentials = (key: string) => Promise<string> | string;

/** Development keys go to the API as they are. */
export const asTheyAre: Credentials = (key) => key;

/** Says to a model what to do where no token can be had. */
export function problemOfSignIn(error: unknown, traceId: string): unknown {
  if (error instanceof SignInNeededError) {
    const advice = 'Ask the person to sign in (npm run login), then call again.';
    return new ApiProblem(localProblem({ code: 'unauthenticated', detail: error.message, advice, traceId }));
  }
  if (error instanceof ProviderAwayError) {
    const advice = 'Call again in a minute, with the same idempotency key.';
    return new ApiProblem(localProblem({ code: 'unavailable', detail: error.message, advice, traceId }));
  }
  return error;
}
