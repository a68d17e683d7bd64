import { createHash } from 'node:crypto';

import { createRequestStateCodec, inputRequired, inputResponse } from '@modelcontextprotocol/server';
import type { InputRequests, McpServer, ServerContext } from '@modelcontextprotocol/server';

import { capabilitiesOf } from '../../../mcp-extension/client-capabilities.ts';
import type { ServedTool, ToolOutcome } from '../../../mcp-extension/serve-tools.ts';
import { fixture, text } from './tool.ts';

interface State {
  readonly step: number;
}

/** Seals what goes through the client; the same for all servers of the fixtures. */
export const codec = createRequestStateCodec<State>({ key: createHash('sha256').update('conformance').digest() });

/** A question for one string or boolean. */
export const question = (message: string, field: string, type = 'string'): InputRequests[string] => ({
  method: 'elicitation/create',
  params: {
    mode: 'form',
    message,
    requestedSchema: { type: 'object', properties: { [field]: { type } as { type: 'string' } }, required: [field] },
  },
});

const NAME = question('What is your name?', 'name');
const ROOTS: InputRequests[string] = { method: 'roots/list', params: {} };
const sampling = (words: string): InputRequests[string] => ({
  method: 'sampling/createMessage',
  params: { messages: [{ role: 'user', content: { type: 'text', text: words } }], maxTokens: 100 },
});

/** The field that a person filled in; undefined for any answer but that. */
export function filledIn({ mcpReq }: ServerContext, key: string, field: string): unknown {
  const answer = inputResponse(mcpReq.inputResponses, key);
  return answer.kind === 'elicit' && answer.action === 'accept' ? answer.content?.[field] : undefined;
}

async function askOnce(
  ctx: ServerContext,
  requests: InputRequests,
  done: () => string | undefined,
  state?: State,
): Promise<ToolOutcome> {
  const words = done();
  if (words !== undefined) return text(words);
  const requestState = state && { requestState: await codec.mint(state, ctx) };
  return inputRequired({ inputRequests: requests, ...requestState });
}

const hello = (ctx: ServerContext): string | undefined => {
  const name = filledIn(ctx, 'user_name', 'name');
  return typeof name === 'string' ? `Hello, ${name}!` : undefined;
};

/** Fixtures of the 2026 protocol whose answer is a question first (SEP-2322). */
export const inputTools = (server: McpServer): readonly ServedTool[] => [
  fixture('test_input_required_result_elicitation', (_args, ctx) =>
    askOnce(ctx, { user_name: NAME }, () => hello(ctx)),
  ),
  fixture('test_streaming_elicitation', (_args, ctx) => askOnce(ctx, { user_name: NAME }, () => hello(ctx))),
  fixture('test_input_required_result_sampling', (_args, ctx) =>
    askOnce(ctx, { capital_question: sampling('What is the capital of France?') }, () => {
      const answer = inputResponse(ctx.mcpReq.inputResponses, 'capital_question');
      return answer.kind === 'sampling' ? `Answer: ${JSON.stringify(answer.result.content)}` : undefined;
    }),
  ),
  fixture('test_input_required_result_list_roots', (_args, ctx) =>
    askOnce(ctx, { client_roots: ROOTS }, () => {
      const answer = inputResponse(ctx.mcpReq.inputResponses, 'client_roots');
      return answer.kind === 'roots' ? `Roots: ${JSON.stringify(answer.roots)}` : undefined;
    }),
  ),
  ...['test_input_required_result_request_state', 'test_input_required_result_tampered_state'].map((name) =>
    fixture(name, (_args, ctx) =>
      askOnce(
        ctx,
        { confirm: question('Please confirm', 'ok', 'boolean') },
        () =>
          ctx.mcpReq.requestState<State>()?.step === 1 && filledIn(ctx, 'confirm', 'ok') !== undefined
            ? 'state-ok'
            : undefined,
        { step: 1 },
      ),
    ),
  ),
  fixture('test_input_required_result_multiple_inputs', (_args, ctx) =>
    askOnce(
      ctx,
      { user_name: NAME, greeting: sampling('Generate a greeting'), client_roots: ROOTS },
      () => {
        const kinds = ['user_name', 'greeting', 'client_roots'].map(
          (key) => inputResponse(ctx.mcpReq.inputResponses, key).kind,
        );
        return kinds.includes('missing') ? undefined : `All answered: ${kinds.join(', ')}`;
      },
      { step: 1 },
    ),
  ),
  fixture('test_input_required_result_multi_round', (_args, ctx) => multiRound(ctx)),
  fixture('test_input_required_result_capabilities', (_args, ctx) => {
    const { elicitation, sampling: samples } = capabilitiesOf(server, ctx);
    const requests = {
      ...(elicitation ? { user_name: NAME } : {}),
      ...(samples ? { greeting: sampling('Generate a greeting') } : {}),
    };
    if (Object.keys(requests).length === 0) return text('The client answers nothing.');
    return askOnce(ctx, requests, () => (ctx.mcpReq.inputResponses ? 'Answered.' : undefined));
  }),
];

async function multiRound(ctx: ServerContext): Promise<ToolOutcome> {
  const step = ctx.mcpReq.requestState<State>()?.step ?? 0;
  if (step >= 2 && filledIn(ctx, 'step2', 'color') !== undefined) return text('Both steps are done.');
  if (step === 1 && filledIn(ctx, 'step1', 'name') !== undefined) {
    const requestState = await codec.mint({ step: 2 }, ctx);
    const step2 = question('Step 2: What is your favorite color?', 'color');
    return inputRequired({ inputRequests: { step2 }, requestState });
  }
  const requestState = await codec.mint({ step: 1 }, ctx);
  return inputRequired({ inputRequests: { step1: question('Step 1: What is your name?', 'name') }, requestState });
}
