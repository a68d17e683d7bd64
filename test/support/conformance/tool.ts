import type { CallToolResult, ServerContext, Tool } from '@modelcontextprotocol/server';

import type { ServedTool, ToolOutcome } from '../../../mcp-extension/serve-tools.ts';

type Fields = Readonly<Record<string, unknown>>;

/** Smallest valid picture: one red pixel. */
export const PNG = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==';

/** Smallest valid sound: a WAV file without samples. */
export const WAV = 'UklGRiQAAABXQVZFZm10IBAAAAABAAEARKwAAIhYAQACABAAZGF0YQAAAAA=';

/** A tool that the suite knows by name. */
export function fixture(
  name: string,
  run: (args: Fields, ctx: ServerContext) => ToolOutcome | Promise<ToolOutcome>,
  properties: Record<string, object> = {},
): ServedTool {
  const inputSchema = { type: 'object', properties } as Tool['inputSchema'];
  return {
    definition: { name, description: `Fixture ${name}`, inputSchema },
    run: async (given, ctx) => run((given ?? {}) as Fields, ctx),
  };
}

/** A result of one text. */
export const text = (words: string): CallToolResult => ({ content: [{ type: 'text', text: words }] });

/** Waits, as long as the call is wanted. */
export const pause = (milliseconds: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, milliseconds).unref());
