import { ApplicationFailure } from '@temporalio/common';
import type { z } from 'zod';

import type { ErrorCode, Refusal } from './errors.ts';

/**
 * Parses a payload inside workflow or activity code. A raw ZodError would fail the workflow *task*
 * (retried for ever); this fails the call once, with a type that callers can switch on.
 */
export function parsePayload<T extends z.ZodType>(schema: T, payload: unknown): z.output<T> {
  const parsed = schema.safeParse(payload);
  if (parsed.success) return parsed.data;
  const where = parsed.error.issues.map((issue) => `${issue.path.join('.') || 'payload'}: ${issue.message}`).join('; ');
  throw refused({ code: 'invalid_input', detail: where });
}

/** The failure that carries a refusal out of a workflow or an activity; its type is the stable code. */
export const refused = ({ code, detail, facts }: Refusal): ApplicationFailure =>
  ApplicationFailure.create({
    message: detail,
    type: code satisfies ErrorCode,
    nonRetryable: true,
    details: [facts ?? {}],
  });
