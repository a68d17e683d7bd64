import { LOG_LEVEL_META_KEY, MissingRequiredClientCapabilityError } from '@modelcontextprotocol/server';
import type { ServerContext } from '@modelcontextprotocol/server';

import type { ServedTool } from '../../../mcp-extension/serve-tools.ts';
import { fixture, pause, PNG, text, WAV } from './tool.ts';

/** Fixtures that answer contents of every kind, report progress, log, fail, and lose their stream. */
export const contentTools: readonly ServedTool[] = [
  fixture('test_simple_text', () => text('This is a simple text response for testing.')),
  fixture('test_image_content', () => ({ content: [{ type: 'image', data: PNG, mimeType: 'image/png' }] })),
  fixture('test_audio_content', () => ({ content: [{ type: 'audio', data: WAV, mimeType: 'audio/wav' }] })),
  fixture('test_embedded_resource', () => ({
    content: [
      {
        type: 'resource',
        resource: {
          uri: 'test://embedded-resource',
          mimeType: 'text/plain',
          text: 'This is an embedded resource content.',
        },
      },
    ],
  })),
  fixture('test_multiple_content_types', () => ({
    content: [
      { type: 'text', text: 'Multiple content types test:' },
      { type: 'image', data: PNG, mimeType: 'image/png' },
      {
        type: 'resource',
        resource: {
          uri: 'test://mixed-content-resource',
          mimeType: 'application/json',
          text: JSON.stringify({ test: 'data', value: 123 }),
        },
      },
    ],
  })),
  fixture('test_error_handling', () => ({
    ...text('This tool intentionally returns an error for testing'),
    isError: true,
  })),
  fixture('test_tool_with_logging', async (_args, ctx) => {
    for (const line of ['Tool execution started', 'Tool processing data', 'Tool execution completed']) {
      await log(ctx, line);
      await pause(50);
    }
    return text('Logged three lines.');
  }),
  fixture('test_logging_tool', async (_args, ctx) => {
    await log(ctx, 'Only for clients that asked for a level');
    return text('Logged where a level was asked for.');
  }),
  fixture('test_tool_with_progress', async (_args, { mcpReq }) => {
    const progressToken = mcpReq._meta?.progressToken;
    for (const progress of [0, 50, 100]) {
      if (progressToken !== undefined) {
        await mcpReq.notify({ method: 'notifications/progress', params: { progressToken, progress, total: 100 } });
      }
      await pause(50);
    }
    return text('Reported progress.');
  }),
  fixture('test_reconnection', async (_args, { http }) => {
    http?.closeSSE?.();
    await pause(200);
    return text('Finished while nobody was connected.');
  }),
  fixture('test_missing_capability', () => {
    throw new MissingRequiredClientCapabilityError({ requiredCapabilities: { sampling: {} } });
  }),
  fixture('test_trigger_tool_change', () => text('The list of tools never changes.')),
  fixture('test_trigger_prompt_change', () => text('The list of prompts never changes.')),
];

/** Clients of the 2026 protocol hear of logs only where the request says from which level on. */
async function log({ mcpReq }: ServerContext, data: string): Promise<void> {
  const envelope = mcpReq.envelope as Readonly<Record<string, unknown>> | undefined;
  if (envelope && envelope[LOG_LEVEL_META_KEY] === undefined) return;
  await mcpReq.notify({ method: 'notifications/message', params: { level: 'info', data } });
}
