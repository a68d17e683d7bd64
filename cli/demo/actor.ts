import type { z } from 'zod';

import type { Operation } from '../../contracts/operation.ts';

/** Somebody who acts in a scenario, and how: a person over REST, an agent over MCP. */
export interface Actor {
  readonly kind: 'user' | 'agent';
  readonly id: string;
  readonly name: string;
  readonly role: string;
  /** Calls an operation; throws a Refused where the answer is a problem. */
  readonly call: Call;
}

export type Call = <I extends z.ZodObject, O extends z.ZodType>(
  operation: Operation<I, O>,
  input: z.input<I>,
) => Promise<z.output<O>>;

/** A call that was answered with a problem. */
export class Refused extends Error {
  override readonly name = 'Refused';
  readonly code: string;

  constructor(operation: string, { code, detail }: { code?: unknown; detail?: unknown }) {
    super(`${operation}: ${String(code)}: ${String(detail)}`);
    this.code = typeof code === 'string' ? code : 'unknown';
  }
}

/** The code that an attempt is refused with; undefined where it is not refused. */
export async function refusalOf(attempt: Promise<unknown>): Promise<string | undefined> {
  try {
    await attempt;
    return undefined;
  } catch (error) {
    if (error instanceof Refused) return error.code;
    throw error;
  }
}
