import type { McpServer } from '@modelcontextprotocol/server';
import { serveStdio, StdioServerTransport } from '@modelcontextprotocol/server/stdio';

import { configureShutdown, onShutdown, shutdown } from '../platform/shutdown.ts';
import { createApiClient } from './api-client.ts';
import { prepareCallers } from './callers.ts';
import { ListeningTransport } from './events/listening-transport.ts';
import { PROFILE_URI } from './events/resource-uris.ts';
import { createEventStreams } from './events/streams.ts';
import type { EventStreams } from './events/streams.ts';
import { startHeartbeat } from './heartbeat.ts';
import { createSwitchboardServer } from './server.ts';
import { readSettings } from './settings.ts';
import { stdioCredentials } from './stdio-credentials.ts';
import type { McpSettings } from './settings.ts';
import { createStderrLogger, failStart } from './stderr.ts';

/** Serves one client over standard input and output until it closes them; logs go to standard error. */
function main({ config, tools, timeoutMs, retries, deprecations }: McpSettings): void {
  // Standard input belongs to the protocol: the shutdown module must not read it as a sign of life of a parent.
  delete process.env['SWITCHBOARD_PARENT'];
  const log = createStderrLogger('mcp', config.logLevel);
  for (const line of deprecations) log.warn(line);
  configureShutdown({ graceMs: 5_000, log });

  const { apiUrl, approverKey, mcpElicitation: elicitation } = config;
  const { key, credentials, mayChange } = stdioCredentials(config, log);
  const streams = createEventStreams({ apiUrl, log, credentials });
  const serverOptions = prepareCallers({ apiUrl, log, streams, tools, elicitation, timeoutMs, retries, credentials });
  let current: McpServer | undefined;
  const transport = new ListeningTransport(
    new StdioServerTransport(),
    tellListener(streams, key, () => current),
  );
  const handle = serveStdio(
    ({ era }) => (current = createSwitchboardServer({ ...serverOptions({ key, approverKey }), era })),
    { transport, onerror: (error) => log.warn({ because: error.message.slice(0, 300) }, 'protocol error') },
  );
  onShutdown('events', () => streams.close());
  onShutdown('connection', () => handle.close());
  const call = createApiClient({ baseUrl: apiUrl, key, credentials, timeoutMs, retries: 0 });
  const heartbeats = startHeartbeat(call, log, undefined, mayChange ? new Set(['forbidden']) : undefined);
  onShutdown('heartbeats', () => heartbeats.stop());
  for (const event of ['end', 'close'] as const) process.stdin.once(event, () => void shutdown('the client is gone'));
  process.stdout.once('error', () => void shutdown('the client no longer reads'));
  log.info({ api: config.apiUrl, tools: tools.length }, 'serving over stdio');
}

/** Follows changes while a client of the 2026 protocol listens; the SDK sends on what that client asked for. */
function tellListener(
  streams: EventStreams,
  key: string | undefined,
  server: () => McpServer | undefined,
): (uris: ReadonlySet<string>) => void {
  let wanted: ReadonlySet<string> = new Set();
  let stop: (() => void) | undefined;
  const tell = (changed: readonly string[] | 'all'): void => {
    for (const uri of changed === 'all' ? wanted : changed) {
      if (!wanted.has(uri)) continue;
      const told = server()?.server;
      void told?.sendResourceUpdated({ uri }).catch(() => undefined);
      if (uri === PROFILE_URI) void told?.sendToolListChanged().catch(() => undefined);
    }
  };
  return (uris) => {
    wanted = uris;
    if (wanted.size > 0) stop ??= streams.of(key)(tell);
    else {
      stop?.();
      stop = undefined;
    }
  };
}

try {
  main(readSettings());
} catch (error) {
  failStart(error);
}
