import type { z } from 'zod';

import type { ErrorCode } from './errors.ts';

export type Method = 'get' | 'post' | 'put' | 'delete';

/** How an operation is offered to models over MCP. */
export interface ToolHints {
  readonly title: string;
  readonly readOnly?: boolean;
  readonly destructive?: boolean;
  /** Accepts its fields wrapped in `params` too, as older clients send them (COMPAT-1). */
  readonly wrapped?: boolean;
}

/** One externally callable operation; the route, the OpenAPI path and the MCP tool are all derived from it. */
export interface Operation<I extends z.ZodObject = z.ZodObject, O extends z.ZodType = z.ZodType> {
  /** operationId, and tool name where it is a tool. */
  readonly name: string;
  readonly method: Method;
  readonly path: `/${string}`;
  readonly summary: string;
  readonly description?: string;
  readonly input: I;
  readonly output: O;
  /** What policy is asked before the handler runs, or by the workflow. */
  readonly action: string;
  readonly errors?: readonly ErrorCode[];
  /** HTTP status of success; 200 unless told. */
  readonly status?: 200 | 201 | 202;
  /** The list in the output that is the REST body on its own; the cursor then travels in the Link header. */
  readonly bareList?: string;
  /** The text in the output that is the REST body on its own, as text/plain. */
  readonly textField?: string;
  /** Field of the input that comes from the header If-Match. */
  readonly ifMatch?: string;
  /**
   * What a body must fulfil beyond its fields, as keywords of JSON Schema beside them. For the OpenAPI document alone:
   * providers of models refuse `anyOf` at the root of a tool's schema.
   */
  readonly bodyRule?: Readonly<Record<string, unknown>>;
  /** The forms that a body can have, where one list of fields would not say it; for the OpenAPI document alone. */
  readonly bodyForms?: readonly z.ZodType[];
  readonly tool?: ToolHints;
}

/** Says what an operation is; the identity function, for its types. */
export function defineOperation<I extends z.ZodObject, O extends z.ZodType>(
  operation: Operation<I, O>,
): Operation<I, O> {
  return operation;
}
