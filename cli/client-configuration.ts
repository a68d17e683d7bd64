import path from 'node:path';

const bootstrap = path.resolve(import.meta.dirname, '..', 'scripts', 'bootstrap.mjs');

/** What a client needs to reach the MCP extension. */
export interface ClientConfigurationInput {
  readonly apiUrl: string;
  readonly mcpUrl: string;
  /** Shown in place of the key; a real key is the user's to paste. */
  readonly apiKey?: string;
  /** Clients sign in instead: over stdio with the login of this machine, over HTTP by themselves. */
  readonly signIn?: boolean;
}

/** Ready configuration blocks, by client. */
export interface ClientConfiguration {
  readonly goose: string;
  readonly claudeCode: string;
  readonly anyClient: string;
}

/** Builds what goose, Claude Code and any other MCP client need, over stdio and HTTP. */
export function clientConfiguration({
  apiUrl,
  mcpUrl,
  apiKey = '<key from keys.json>',
  signIn = false,
}: ClientConfigurationInput): ClientConfiguration {
  const command = 'node';
  const args = [bootstrap, 'mcp-extension/stdio-main.ts'];
  const env = { SWITCHBOARD_API_URL: apiUrl, ...(!signIn && { SWITCHBOARD_API_KEY: apiKey }) };
  const goose = [
    'extensions:',
    '  switchboard:',
    '    type: stdio',
    '    name: switchboard',
    '    enabled: true',
    `    cmd: ${command}`,
    `    args: ${JSON.stringify(args)}`,
    `    envs: ${JSON.stringify(env)}`,
    '    timeout: 300',
  ].join('\n');
  const claudeCode = [
    'claude mcp add switchboard',
    ...Object.entries(env).map(([name, value]) => `--env ${name}=${quoted(value)}`),
    `-- ${command} ${args.map(quoted).join(' ')}`,
  ].join(' ');
  const servers = {
    mcpServers: {
      switchboard: { command, args, env },
      'switchboard-http': {
        type: 'http',
        url: mcpUrl,
        ...(!signIn && { headers: { Authorization: `Bearer ${apiKey}` } }),
      },
    },
  };
  return { goose, claudeCode, anyClient: JSON.stringify(servers, null, 2) };
}

const quoted = (text: string): string =>
  /^[\w./:@=-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
