import { ERRORS } from '../contracts/errors.ts';
import type { ErrorCode, FieldFault, Problem, Refusal } from '../contracts/errors.ts';

/** A refusal on its way to the caller. */
export class ApiError extends Error {
  readonly code: ErrorCode;
  readonly facts: Readonly<Record<string, unknown>>;
  readonly errors: readonly FieldFault[];

  constructor({ code, detail, facts = {} }: Refusal, errors: readonly FieldFault[] = []) {
    super(detail);
    this.name = 'ApiError';
    this.code = code;
    this.facts = facts;
    this.errors = errors;
  }
}

/** Short for the refusal that something does not exist for this caller. */
export const notFound = (what: string): ApiError =>
  new ApiError({ code: 'not_found', detail: `${what} does not exist.` });

/** The problem document (RFC 9457) of a failure. */
export function problemOf(error: ApiError, traceId: string): Problem {
  const { status, title, advice } = ERRORS[error.code];
  return {
    type: `urn:switchboard:problem:${error.code}`,
    title,
    status,
    code: error.code,
    detail: error.message,
    advice,
    trace_id: traceId,
    ...error.facts,
    ...(error.errors.length > 0 && { errors: error.errors }),
  };
}
