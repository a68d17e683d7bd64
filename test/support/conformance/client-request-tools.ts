import type { ServerContext } from '@modelcontextprotocol/server';
import { z } from 'zod';

import type { ServedTool } from '../../../mcp-extension/serve-tools.ts';
import { fixture, text } from './tool.ts';

const Answer = z.looseObject({});

const elicit = async ({ mcpReq }: ServerContext, message: string, properties: object, required: readonly string[]) => {
  const params = { message, requestedSchema: { type: 'object', properties, required } };
  return JSON.stringify(await mcpReq.send({ method: 'elicitation/create', params }, Answer));
};

const NAMED = ['First', 'Second', 'Third'];
const titled = (thing: string) =>
  NAMED.map((title, at) => ({ const: `value${String(at + 1)}`, title: `${title} ${thing}` }));
const OPTIONS = ['option1', 'option2', 'option3'];

/** Fixtures of the 2025 protocols that ask the client in the middle of a call. */
export const clientRequestTools: readonly ServedTool[] = [
  fixture(
    'test_sampling',
    async ({ prompt }, { mcpReq }) => {
      const messages = [{ role: 'user', content: { type: 'text', text: String(prompt) } }];
      const params = { messages, maxTokens: 100 };
      const answer = await mcpReq.send({ method: 'sampling/createMessage', params }, Answer);
      return text(`LLM response: ${JSON.stringify(answer['content'])}`);
    },
    { prompt: { type: 'string' } },
  ),
  fixture(
    'test_elicitation',
    async ({ message }, ctx) => {
      const properties = {
        username: { type: 'string', description: "User's response" },
        email: { type: 'string', description: "User's email address" },
      };
      return text(`User response: ${await elicit(ctx, String(message), properties, ['username', 'email'])}`);
    },
    { message: { type: 'string' } },
  ),
  fixture('test_elicitation_sep1034_defaults', async (_args, ctx) => {
    const properties = {
      name: { type: 'string', default: 'John Doe' },
      age: { type: 'integer', default: 30 },
      score: { type: 'number', default: 95.5 },
      status: { type: 'string', enum: ['active', 'inactive', 'pending'], default: 'active' },
      verified: { type: 'boolean', default: true },
    };
    return text(`Elicitation completed: ${await elicit(ctx, 'Please check the defaults', properties, [])}`);
  }),
  fixture('test_elicitation_sep1330_enums', async (_args, ctx) => {
    const properties = {
      untitledSingle: { type: 'string', enum: OPTIONS },
      titledSingle: { type: 'string', oneOf: titled('Option') },
      legacyEnum: {
        type: 'string',
        enum: ['opt1', 'opt2', 'opt3'],
        enumNames: ['Option One', 'Option Two', 'Option Three'],
      },
      untitledMulti: { type: 'array', items: { type: 'string', enum: OPTIONS } },
      titledMulti: { type: 'array', items: { anyOf: titled('Choice') } },
    };
    return text(`Elicitation completed: ${await elicit(ctx, 'Please choose', properties, [])}`);
  }),
];
