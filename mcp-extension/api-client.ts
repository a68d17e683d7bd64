import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { z } from 'zod';

import type { Operation } from '../contracts/operation.ts';
import { asTheyAre, problemOfSignIn } from './credentials.ts';
import type { Credentials } from './credentials.ts';
import { readAnswer } from './http-answer.ts';
import { buildRequest } from './http-request.ts';
import type { HttpRequest } from './http-request.ts';
import { ApiProblem, localProblem, problemFromAnswer } from './problem.ts';
import { isRetryable, retryAfterMs, waitBefore } from './retry.ts';

/** Where the API is and how patiently it is called. */
export interface ApiClientOptions {
  readonly baseUrl: string;
  /** API key of the caller; without one every call fails with `unauthenticated`. */
  readonly key: string | undefined;
  /** What the API is called with for that key; the key itself unless given. */
  readonly credentials?: Credentials;
  readonly fetch?: typeof fetch;
  /** Time for one attempt. */
  readonly timeoutMs?: number;
  /** Further attempts after the first, each with the same idempotency key. */
  readonly retries?: number;
}

/** What one call may say of itself. */
export interface CallOptions {
  readonly signal?: AbortSignal;
  readonly idempotencyKey?: string;
  readonly traceId?: string;
  /** Time that the operation itself was asked to wait; an attempt may take so much longer. */
  readonly waitMs?: number;
  /** Hears of every further attempt. */
  readonly onRetry?: (message: string) => void;
}

/** Calls an operation of the API; throws an ApiProblem, or the reason of the signal when it is aborted. */
export type CallApi = <I extends z.ZodObject, O extends z.ZodType>(
  operation: Operation<I, O>,
  input: z.input<I>,
  options?: CallOptions,
) => Promise<z.output<O>>;

const TIMEOUT_MS = 30_000;

type Attempt = { readonly response: Response } | { readonly failure: ApiProblem; readonly askedMs?: number };

/** An API client for one key. Retries network errors and 429, 502, 503, 504; never other answers. */
export function createApiClient(options: ApiClientOptions): CallApi {
  const { baseUrl, retries = 2 } = options;
  return async (operation, input, callOptions = {}) => {
    const { signal, idempotencyKey = randomUUID(), traceId = randomUUID(), waitMs = 0, onRetry } = callOptions;
    const timeoutMs = (options.timeoutMs ?? TIMEOUT_MS) + waitMs;
    const key = await credentialOf(options, traceId);
    const request = buildRequest(operation, input, baseUrl, { key, idempotencyKey, traceId });
    for (let attempt = 0; ; attempt += 1) {
      const outcome = await tryOnce({ ...options, timeoutMs }, request, traceId, signal);
      if ('response' in outcome) return (await readAnswer(operation, outcome.response, traceId)) as never;
      const wait = waitBefore(attempt, outcome.askedMs);
      if (attempt >= retries || wait === undefined) throw outcome.failure;
      await sleep(wait, undefined, { signal });
      onRetry?.(`The API did not answer; attempt ${String(attempt + 2)} of ${String(retries + 1)}.`);
    }
  };
}

async function tryOnce(
  { baseUrl, fetch: send = fetch, timeoutMs = TIMEOUT_MS }: ApiClientOptions,
  { url, ...request }: HttpRequest,
  traceId: string,
  signal: AbortSignal | undefined,
): Promise<Attempt> {
  const timeout = AbortSignal.timeout(timeoutMs);
  try {
    const response = await send(url, {
      ...request,
      redirect: 'manual',
      signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
    });
    // The body is read within the time limit too: the connection may break in the middle of it.
    const complete = new Response(nullBody(response) ? null : await response.arrayBuffer(), response);
    return isRetryable(response.status) ? await refusedForNow(complete, traceId) : { response: complete };
  } catch (error) {
    signal?.throwIfAborted();
    return {
      failure: unreachable(baseUrl, timeout.aborted ? `no answer in ${String(timeoutMs)} ms` : causeOf(error), traceId),
    };
  }
}

const nullBody = ({ status }: Response): boolean => status === 204 || status === 205 || status === 304;

async function refusedForNow(response: Response, traceId: string): Promise<Attempt> {
  const askedMs = retryAfterMs(response.headers.get('retry-after'));
  const failure = await problemIn(response, traceId);
  return askedMs === undefined ? { failure } : { failure, askedMs };
}

async function problemIn(response: Response, traceId: string): Promise<ApiProblem> {
  // Something in between may have answered, without JSON: the status alone tells then.
  const body: unknown = await response.json().catch(() => undefined);
  return new ApiProblem(problemFromAnswer(response.status, body, traceId));
}

function unreachable(baseUrl: string, because: string, traceId: string): ApiProblem {
  const detail = `The Switchboard API at ${new URL(baseUrl).origin} cannot be reached: ${because}.`;
  const advice = 'Check that the API runs and that SWITCHBOARD_API_URL names it, then call again.';
  return new ApiProblem(localProblem({ code: 'unavailable', detail, advice, traceId }));
}

/** The system's code of a network error; messages of lower layers may hold addresses with credentials. */
function causeOf(error: unknown): string {
  const cause = error instanceof Error ? (error.cause ?? error) : error;
  if (typeof cause === 'object' && cause !== null && 'code' in cause && typeof cause.code === 'string')
    return cause.code;
  return 'the connection failed';
}

async function credentialOf({ key, credentials = asTheyAre }: ApiClientOptions, traceId: string): Promise<string> {
  const usable = usableKey(key, traceId);
  try {
    return await credentials(usable);
  } catch (error) {
    throw problemOfSignIn(error, traceId);
  }
}

function usableKey(key: string | undefined, traceId: string): string {
  const trimmed = key?.trim() ?? '';
  if (/^[\x21-\x7e]+$/.test(trimmed)) return trimmed;
  const detail = trimmed === '' ? 'No API key is set.' : 'The API key holds characters that no key has.';
  const advice = 'Sign in (npm run login), set SWITCHBOARD_API_KEY, or send Authorization: Bearer <token> over HTTP.';
  throw new ApiProblem(localProblem({ code: 'unauthenticated', detail, advice, traceId }));
}
