import type { z } from 'zod';

import type { ErrorCode } from './errors.ts';
import type { Method } from './operation.ts';

/** What such a route answers with a status; without a type, no body. */
export interface PlainAnswer {
  readonly status: number;
  readonly description: string;
  readonly type?: string;
  readonly schema?: z.ZodType;
  /** Headers by name, with what they say. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** A route that is no operation: it streams, answers no JSON, follows another standard, or asks nobody who calls. */
export interface PlainRoute {
  /** operationId. */
  readonly name: string;
  readonly method: Method | 'patch';
  readonly path: `/${string}`;
  readonly summary: string;
  readonly description?: string;
  /** Answered without a key. */
  readonly public?: boolean;
  /** Takes an Idempotency-Key. */
  readonly keyed?: boolean;
  readonly query?: z.ZodObject;
  /** Fields of the path. */
  readonly params?: z.ZodObject;
  /** Fields of a form (application/x-www-form-urlencoded). */
  readonly form?: z.ZodObject;
  /** Forms that a body can have, by content type. */
  readonly bodies?: Readonly<Record<string, z.ZodType>>;
  /** Content type and schema of success; left out where `others` say it. */
  readonly answer?: { readonly type: string; readonly schema: z.ZodType };
  /** Further answers, successes and failures that are no problem documents. */
  readonly others?: readonly PlainAnswer[];
  /** Failures as problem documents; left out where the standard that it follows has its own. */
  readonly errors?: readonly ErrorCode[];
}
