import { reportReady } from '../platform/ready.ts';
import { configureShutdown, onShutdown } from '../platform/shutdown.ts';
import { startMcpHttp } from './http.ts';
import { readSettings } from './settings.ts';
import { createStderrLogger, failStart } from './stderr.ts';

/** Serves MCP over HTTP until the process is told to stop. */
async function main(): Promise<void> {
  const { config, tools, timeoutMs, retries, allowedHosts, deprecations } = readSettings();
  const log = createStderrLogger('mcp', config.logLevel);
  for (const line of deprecations) log.warn(line);
  configureShutdown({ graceMs: config.shutdownGraceMs, log });
  const { apiHost: host, mcpPort: port, apiUrl, mcpElicitation: elicitation } = config;
  const options = { host, port, apiUrl, log, tools, timeoutMs, retries, allowedHosts, elicitation };
  const served = await startMcpHttp(options);
  onShutdown('mcp', () => served.close());
  log.info({ url: served.url, api: apiUrl }, 'serving MCP over HTTP');
  reportReady();
}

main().catch(failStart);
