import test from 'ava';
import { parse } from 'yaml';

import { clientConfiguration } from '../../../cli/client-configuration.ts';

const blocks = clientConfiguration({
  apiUrl: 'http://127.0.0.1:8088',
  mcpUrl: 'http://127.0.0.1:8091/mcp',
  apiKey: 'k',
});

test('MCP-6: the goose block is YAML with a stdio extension', (t) => {
  const { extensions } = parse(blocks.goose) as { extensions: { switchboard: Record<string, unknown> } };
  t.like(extensions.switchboard, { type: 'stdio', enabled: true, cmd: 'node' });
  t.deepEqual(extensions.switchboard['envs'], {
    SWITCHBOARD_API_URL: 'http://127.0.0.1:8088',
    SWITCHBOARD_API_KEY: 'k',
  });
  t.regex(String((extensions.switchboard['args'] as string[])[0]), /scripts\/bootstrap\.mjs$/);
});

test('MCP-6: the block for any client is JSON with stdio and HTTP', (t) => {
  const { mcpServers } = JSON.parse(blocks.anyClient) as { mcpServers: Record<string, Record<string, unknown>> };
  t.is(mcpServers['switchboard']?.['command'], 'node');
  t.like(mcpServers['switchboard-http'], { url: 'http://127.0.0.1:8091/mcp', headers: { Authorization: 'Bearer k' } });
});

test('MCP-6: the Claude Code line quotes what a shell would split', (t) => {
  t.regex(
    blocks.claudeCode,
    /^claude mcp add switchboard --env SWITCHBOARD_API_URL=\S+ .* -- node \S+ mcp-extension\/stdio-main\.ts$/,
  );
  const placeholder = clientConfiguration({ apiUrl: 'http://x', mcpUrl: 'http://y' }).claudeCode;
  t.true(placeholder.includes("'<key from keys.json>'"));
});
