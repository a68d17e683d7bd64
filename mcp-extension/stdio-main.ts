import { serveStdio } from '@modelcontextprotocol/server/stdio';

import { configureShutdown, onShutdown, shutdown } from '../platform/shutdown.ts';
import { createApiClient } from './api-client.ts';
import { startHeartbeat } from './heartbeat.ts';
import { createSwitchboardServer } from './server.ts';
import { readSettings } from './settings.ts';
import type { McpSettings } from './settings.ts';
import { createStderrLogger, failStart } from './stderr.ts';

/** Serves one client over standard input and output until it closes them; logs go to standard error. */
function main({ config, tools, timeoutMs, retries, deprecations }: McpSettings): void {
  // Standard input belongs to the protocol: the shutdown module must not read it as a sign of life of a parent.
  delete process.env['SWITCHBOARD_PARENT'];
  const log = createStderrLogger('mcp', config.logLevel);
  for (const line of deprecations) log.warn(line);
  if (!config.apiKey) log.warn('SWITCHBOARD_API_KEY is not set: every call will be refused');
  configureShutdown({ graceMs: 5_000, log });

  const client = { baseUrl: config.apiUrl, key: config.apiKey, timeoutMs };
  const call = createApiClient({ ...client, retries });
  const handle = serveStdio(() => createSwitchboardServer({ call, tools, log }), {
    onerror: (error) => log.warn({ because: error.message.slice(0, 300) }, 'protocol error'),
  });
  onShutdown('connection', () => handle.close());
  if (config.apiKey) {
    const heartbeats = startHeartbeat(createApiClient({ ...client, retries: 0 }), log);
    onShutdown('heartbeats', () => heartbeats.stop());
  }
  for (const event of ['end', 'close'] as const) process.stdin.once(event, () => void shutdown('the client is gone'));
  process.stdout.once('error', () => void shutdown('the client no longer reads'));
  log.info({ api: config.apiUrl, tools: tools.length }, 'serving over stdio');
}

try {
  main(readSettings());
} catch (error) {
  failStart(error);
}
