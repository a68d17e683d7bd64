import { ERRORS, isErrorCode } from '../contracts/errors.ts';
import type { ErrorCode, FieldFault, Problem } from '../contracts/errors.ts';
import type { Logger } from '../platform/log.ts';

const STANDARD = new Set(['type', 'title', 'status', 'code', 'detail', 'advice', 'trace_id', 'errors', 'instance']);

/** A call that failed, with the problem document that says why and what to do. */
export class ApiProblem extends Error {
  override readonly name = 'ApiProblem';
  readonly problem: Problem;

  constructor(problem: Problem, options?: ErrorOptions) {
    super(`${problem.code}: ${problem.detail}`, options);
    this.problem = problem;
  }

  get code(): ErrorCode {
    return this.problem.code;
  }

  /** What the problem says beyond the standard members, e.g. the state that refuses. */
  get facts(): Readonly<Record<string, unknown>> {
    return factsOf(this.problem);
  }
}

/** The members of a problem that RFC 9457 and our contract do not name. */
export function factsOf(problem: Problem): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(problem).filter(([name]) => !STANDARD.has(name)));
}

/** What a locally made problem says. */
export interface LocalProblem {
  readonly code: ErrorCode;
  readonly detail: string;
  readonly traceId: string;
  readonly advice?: string;
  readonly status?: number;
  readonly errors?: readonly FieldFault[];
}

/** A problem in the API's form for what fails before, or without, an answer of the API. */
export function localProblem({ code, detail, traceId, advice, status, errors }: LocalProblem): Problem {
  const kind = ERRORS[code];
  return {
    type: `urn:switchboard:problem:${code}`,
    title: kind.title,
    status: status ?? kind.status,
    code,
    detail,
    advice: advice ?? kind.advice,
    trace_id: traceId,
    ...(errors ? { errors } : {}),
  };
}

const CODE_BY_STATUS: Readonly<Record<number, ErrorCode>> = {
  401: 'unauthenticated',
  403: 'forbidden',
  404: 'not_found',
  405: 'method_not_allowed',
  412: 'precondition_failed',
  413: 'payload_too_large',
  415: 'unsupported_media_type',
  429: 'rate_limited',
  502: 'unavailable',
  503: 'unavailable',
  504: 'unavailable',
};

/** The problem in a failed answer; made from the status where the body is none of ours (a gateway's page). */
export function problemFromAnswer(status: number, body: unknown, traceId: string): Problem {
  const fields = typeof body === 'object' && body !== null ? (body as Record<string, unknown>) : {};
  const known = isErrorCode(fields['code']);
  const code = known
    ? (fields['code'] as ErrorCode)
    : (CODE_BY_STATUS[status] ?? (status < 500 ? 'invalid_input' : 'internal'));
  const text = (name: string): string | undefined =>
    typeof fields[name] === 'string' && fields[name] !== '' ? fields[name] : undefined;
  return {
    ...(known ? fields : {}),
    ...localProblem({
      code,
      detail: text('detail') ?? `The API answered ${String(status)} without saying why.`,
      traceId: text('trace_id') ?? traceId,
      status,
      ...(text('advice') ? { advice: text('advice') ?? '' } : {}),
      ...(Array.isArray(fields['errors']) ? { errors: fields['errors'].filter(isFault) } : {}),
    }),
    ...(text('type') ? { type: text('type') ?? '' } : {}),
    ...(text('title') ? { title: text('title') ?? '' } : {}),
  };
}

const isFault = (fault: unknown): fault is FieldFault =>
  typeof fault === 'object' && fault !== null && 'pointer' in fault && 'detail' in fault;

/** The problem of whatever was thrown; an unexpected error is logged and shows nothing of its inside. */
export function problemOf(error: unknown, traceId: string, log?: Pick<Logger, 'error'>): Problem {
  if (error instanceof ApiProblem) return error.problem;
  log?.error({ err: error, trace_id: traceId }, 'call failed unexpectedly');
  return localProblem({ code: 'internal', detail: 'The MCP server failed unexpectedly; see its log.', traceId });
}
