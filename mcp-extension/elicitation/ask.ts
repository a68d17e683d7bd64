import { createHash } from 'node:crypto';

import { createRequestStateCodec, inputRequired, inputResponse } from '@modelcontextprotocol/server';
import type { InputRequiredResult, RequestStateCodec, ServerContext } from '@modelcontextprotocol/server';
import { z } from 'zod';

import type { ApprovalView } from '../../contracts/approvals.ts';
import type { CallApi, CallOptions } from '../api-client.ts';
import { isModern } from '../client-capabilities.ts';
import { problemOf } from '../problem.ts';
import { decidable, decideAs } from './person.ts';
import { decisionIn, questionOf } from './question.ts';

/** The key of the question in an `input_required` result. */
const KEY = 'decision';
/** The longest that a 2025-era call is held open for an answer; the approval waits in the inbox all the same. */
const PATIENCE_MS = 5 * 60_000;
const STATE_SECONDS = 3_600;

/** What a client carries from one round of a question to the next: what the person was shown. */
export interface Asked {
  readonly approval_id: string;
  readonly revision: number;
  readonly digest: string | null;
}

/** How a question to the person at the client ended. */
export interface Answered {
  /** One line for the model. */
  readonly note: string;
}

/** Seals what the client carries under the caller's own key: any process can open it, and no other caller. */
export const stateCodec = (key: string): RequestStateCodec<Asked> =>
  createRequestStateCodec<Asked>({
    key: createHash('sha256').update(`switchboard mcp request state\0${key}`).digest(),
    ttlSeconds: STATE_SECONDS,
  });

/** Asks the person at the client to decide an approval (MCP-3); the answer counts as that person's, through the API. */
export interface PersonAsker {
  /** Asks about an approval: a question to be answered in the next round, what came of it, or undefined: nobody to ask. */
  ask(
    approval: ApprovalView,
    ctx: ServerContext,
    options: CallOptions,
  ): Promise<InputRequiredResult | Answered | undefined>;
  /** What came of a question of an earlier round. */
  resume(asked: Asked, ctx: ServerContext, options: CallOptions): Promise<Answered>;
}

/** Asks with the person's own key. Failures never decide anything and never fail the call that asked. */
export function createPersonAsker(
  person: CallApi,
  codec: RequestStateCodec<Asked>,
  patienceMs = PATIENCE_MS,
): PersonAsker {
  const settle = async (asked: Asked, given: unknown, options: CallOptions): Promise<Answered> => {
    const decision = decisionIn(given);
    if (!decision) return { note: 'The answer of the person at the client was no decision; nothing was decided.' };
    try {
      const seen = { id: asked.approval_id, revision: asked.revision, digest: asked.digest };
      const decided = await decideAs(person, seen, decision, options);
      if (!decided) return { note: 'The request changed while the person was asked; nothing was decided.' };
      return { note: `The person at the client answered: ${decision.decision}.` };
    } catch (error) {
      options.signal?.throwIfAborted();
      const { code, detail } = problemOf(error, options.traceId ?? '');
      return { note: `The answer of the person at the client was not taken (${code}): ${detail}` };
    }
  };
  return {
    ask: async ({ id }, ctx, options) => {
      // Asking is a courtesy: where it cannot be, the approval waits in the inbox as any other.
      const shown = await decidable(person, id, options).catch(() => undefined);
      if (!shown) return undefined;
      const asked = { approval_id: id, revision: shown.revision, digest: shown.digest };
      if (!isModern(ctx)) return askNow(ctx, shown, patienceMs, (content) => settle(asked, content, options));
      return inputRequired({
        inputRequests: { [KEY]: { method: 'elicitation/create', params: questionOf(shown) } },
        requestState: await codec.mint(asked, ctx),
      });
    },
    resume: (asked, { mcpReq }, options) => {
      const answer = inputResponse(mcpReq.inputResponses, KEY);
      if (answer.kind !== 'elicit') return settle(asked, undefined, options);
      if (answer.action !== 'accept') return Promise.resolve(LEFT);
      return settle(asked, answer.content, options);
    },
  };
}

const LEFT: Answered = { note: 'The person at the client left the question open; it waits in the inbox.' };

const ElicitAnswer = z.looseObject({ action: z.enum(['accept', 'decline', 'cancel']), content: z.unknown() });

/** A client of the 2025 protocols is asked in the middle of the call. */
async function askNow(
  { mcpReq }: ServerContext,
  shown: ApprovalView,
  patienceMs: number,
  settle: (content: unknown) => Promise<Answered>,
): Promise<Answered> {
  const request = { method: 'elicitation/create', params: { ...questionOf(shown) } };
  try {
    const options = { timeout: patienceMs, signal: mcpReq.signal };
    const { action, content } = await mcpReq.send(request, ElicitAnswer, options);
    return action === 'accept' ? await settle(content) : LEFT;
  } catch {
    mcpReq.signal.throwIfAborted();
    return { note: 'The person at the client gave no answer; it waits in the inbox.' };
  }
}
