import { completable, inputRequired, ResourceTemplate } from '@modelcontextprotocol/server';
import type { GetPromptResult, McpServer } from '@modelcontextprotocol/server';
import { z } from 'zod';

import { filledIn, question } from './input-tools.ts';
import { PNG } from './tool.ts';

const said = (...contents: GetPromptResult['messages'][number]['content'][]): GetPromptResult => ({
  messages: contents.map((content) => ({ role: 'user', content })),
});
const words = (text: string) => ({ type: 'text' as const, text });

/** Prompts that the suite knows by name. */
export function registerFixturePrompts(server: McpServer): void {
  server.registerPrompt('test_simple_prompt', { description: 'Without arguments' }, () =>
    said(words('This is a simple prompt for testing.')),
  );
  const argument = z.string().describe('A word');
  server.registerPrompt(
    'test_prompt_with_arguments',
    {
      description: 'With two arguments',
      argsSchema: z.object({ arg1: completable(argument, (value) => [`${value}is`]), arg2: argument }),
    },
    ({ arg1, arg2 }) => said(words(`Prompt with arguments: arg1='${arg1}', arg2='${arg2}'`)),
  );
  server.registerPrompt(
    'test_prompt_with_embedded_resource',
    { description: 'With a resource', argsSchema: z.object({ resourceUri: argument }) },
    ({ resourceUri: uri }) =>
      said(
        {
          type: 'resource',
          resource: { uri, mimeType: 'text/plain', text: 'Embedded resource content for testing.' },
        },
        words('Please process the embedded resource above.'),
      ),
  );
  server.registerPrompt('test_prompt_with_image', { description: 'With a picture' }, () =>
    said({ type: 'image', data: PNG, mimeType: 'image/png' }, words('Please analyze the image above.')),
  );
  server.registerPrompt('test_input_required_result_prompt', { description: 'Asks first' }, (ctx) => {
    const context = filledIn(ctx, 'user_context', 'context');
    if (typeof context === 'string') return said(words(`Context: ${context}`));
    return inputRequired({
      inputRequests: { user_context: question('What context should the prompt use?', 'context') },
    });
  });
}

/** Resources that the suite knows by address. */
export function registerFixtureResources(server: McpServer): void {
  const plain = (name: string, text: string): void => {
    const uri = `test://${name}`;
    const about = { description: `Fixture ${name}`, mimeType: 'text/plain' };
    server.registerResource(name, uri, about, () => ({ contents: [{ uri, mimeType: 'text/plain', text }] }));
  };
  plain('static-text', 'This is the content of the static text resource.');
  plain('watched-resource', 'This resource may change.');
  const binary = 'test://static-binary';
  server.registerResource('static-binary', binary, { description: 'A picture', mimeType: 'image/png' }, () => ({
    contents: [{ uri: binary, mimeType: 'image/png', blob: PNG }],
  }));
  server.registerResource(
    'template',
    new ResourceTemplate('test://template/{id}/data', { list: undefined }),
    { description: 'By id', mimeType: 'application/json' },
    ({ href: uri }, { id }) => {
      const text = JSON.stringify({ id, templateTest: true, data: `Data for ID: ${String(id)}` });
      return { contents: [{ uri, mimeType: 'application/json', text }] };
    },
  );
}
