import { randomBytes } from 'node:crypto';

import type { Request } from 'express';

import { ApiError } from './problem.ts';

const TRACEPARENT = /^[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}$/; // https://www.w3.org/TR/trace-context/
const TRACE_ID = /^[\w.:-]{1,100}$/;

/** The trace a request belongs to: X-Trace-Id, else W3C traceparent, else a new one. */
export function traceIdOf(req: Request): string {
  const given = req.get('x-trace-id');
  if (given !== undefined && given !== '') return given;
  const [, traceId] = TRACEPARENT.exec(req.get('traceparent') ?? '') ?? [];
  return traceId ?? randomBytes(16).toString('hex');
}

/** Refuses a trace id that could not be written into a log line or header as it is. */
export function checkTraceId(traceId: string): void {
  if (!TRACE_ID.test(traceId))
    throw new ApiError({ code: 'invalid_input', detail: 'X-Trace-Id: must be 1 to 100 letters, digits and . : _ -' }, [
      { pointer: '/headers/x-trace-id', detail: 'must be 1 to 100 letters, digits and . : _ -' },
    ]);
}
