import { ApplicationFailure } from '@temporalio/common';
import {
  isGrpcServiceError,
  ServiceError,
  WorkflowUpdateFailedError,
  WorkflowUpdateRPCTimeoutOrCancelledError,
} from '@temporalio/client';
import { z } from 'zod';

import { isErrorCode } from '../contracts/errors.ts';
import type { FieldFault } from '../contracts/errors.ts';
import { KeyErasedError } from '../privacy/key-ring.ts';
import { hasEnded, isPassing } from './passing.ts';
import { ApiError } from './problem.ts';

// Status codes of gRPC that say "not now" (https://grpc.io/docs/guides/status-codes/).
const RESOURCE_EXHAUSTED = 8;
// cancelled, deadline exceeded, aborted, unavailable
const NOT_NOW = new Set([1, 4, 10, 14]);

// SQLSTATE classes of a server that is away or overloaded, and the network errors of a connection that is.
const DATABASE_AWAY = /^(08|53|57P)|^(ECONNREFUSED|ECONNRESET|EPIPE|ETIMEDOUT|ENOTFOUND)$/;
const DATABASE_TEXT =
  /Connection terminated|is not queryable|timeout exceeded when trying to connect|Query read timeout|the database system is/;

const unavailable = (what: string): ApiError =>
  new ApiError({ code: 'unavailable', detail: `${what} does not answer now.` });

const pointer = (path: readonly PropertyKey[]): string =>
  path.map((step) => `/${String(step).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');

/** Every fault of an input, with its place. */
export function inputError(error: z.ZodError): ApiError {
  const errors: FieldFault[] = error.issues
    .slice(0, 50)
    .map((issue) => ({ pointer: pointer(issue.path), detail: issue.message }));
  const [first] = errors;
  const detail = first ? `${first.pointer || 'The input'}: ${first.detail}` : 'The input is not valid.';
  return new ApiError({ code: 'invalid_input', detail }, errors);
}

function fromFailure(failure: ApplicationFailure): ApiError | undefined {
  if (!isErrorCode(failure.type)) return undefined;
  const facts = failure.details?.[0];
  return new ApiError({ code: failure.type, detail: failure.message, ...(isFacts(facts) && { facts }) });
}
const isFacts = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;

/** The refusal inside an error chain: update → activity → our own failure. */
function failureIn(error: unknown): ApplicationFailure | undefined {
  for (let cause = error; cause instanceof Error; cause = cause.cause)
    if (cause instanceof ApplicationFailure) return cause;
  return undefined;
}

/** The only place where a failure becomes what the caller is told; undefined means it is a fault of ours. */
export function toApiError(error: unknown): ApiError | undefined {
  if (error instanceof ApiError) return error;
  if (error instanceof z.ZodError) return inputError(error);
  if (error instanceof KeyErasedError) return new ApiError({ code: 'organisation_erased', detail: error.message });
  if (isPassing(error) || hasEnded(error)) return unavailable('The workflow');
  const failure = failureIn(error);
  if (failure) return fromFailure(failure);
  if (error instanceof WorkflowUpdateRPCTimeoutOrCancelledError) return unavailable('The workflow');
  if (error instanceof WorkflowUpdateFailedError) return undefined;
  return fromTemporal(error) ?? fromDatabase(error);
}

function fromTemporal(error: unknown): ApiError | undefined {
  const cause = error instanceof ServiceError ? error.cause : error;
  if (!isGrpcServiceError(cause)) return undefined;
  const code: number = cause.code;
  if (code === RESOURCE_EXHAUSTED)
    return new ApiError({ code: 'rate_limited', detail: 'Too much happens to this at once.' });
  return NOT_NOW.has(code) ? unavailable('Temporal') : undefined;
}

function fromDatabase(error: unknown): ApiError | undefined {
  if (!(error instanceof Error)) return undefined;
  // A transaction that failed and could not be rolled back either.
  const parts: readonly unknown[] = error instanceof AggregateError ? error.errors : [];
  if (parts.some((part) => fromDatabase(part))) return unavailable('The database');
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  return DATABASE_AWAY.test(code) || DATABASE_TEXT.test(error.message) ? unavailable('The database') : undefined;
}
