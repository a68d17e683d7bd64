import type { Config } from '../platform/config.ts';
import type { Logger } from '../platform/log.ts';
import { reportReady } from '../platform/ready.ts';
import { configureShutdown, onShutdown } from '../platform/shutdown.ts';
import { startMcpHttp } from './http.ts';
import { createResource } from './oauth/resource.ts';
import type { ProtectedResource } from './oauth/resource.ts';
import { readSettings } from './settings.ts';
import { createStderrLogger, failStart } from './stderr.ts';

/** The server as a protected resource, where a provider and the secret to exchange tokens are known. */
function resourceOf(config: Config, log: Logger): ProtectedResource | undefined {
  const { oidcIssuer: issuer, mcpClientSecret: clientSecret } = config;
  if (issuer === undefined || clientSecret === undefined) return undefined;
  return createResource({
    resource: config.oidcMcpAudience,
    issuer,
    publicUrl: config.publicUrl.replace(/\/$/, ''),
    apiUrl: config.apiUrl,
    audience: config.oidcAudience,
    clientId: config.mcpClientId,
    clientSecret,
    maxTokenSeconds: config.oidcMaxTokenSeconds,
    requireScopes: config.oidcRequireScopes,
    extraScopes: config.oidcExtraScopes,
    log,
  });
}

/** Serves MCP over HTTP until the process is told to stop. */
async function main(): Promise<void> {
  const { config, tools, timeoutMs, retries, allowedHosts, deprecations } = readSettings();
  const log = createStderrLogger('mcp', config.logLevel);
  for (const line of deprecations) log.warn(line);
  configureShutdown({ graceMs: config.shutdownGraceMs, log });
  const { apiHost: host, mcpPort: port, apiUrl, mcpElicitation: elicitation } = config;
  const resource = resourceOf(config, log);
  if (!resource && !config.staticKeys)
    log.warn('SWITCHBOARD_OIDC_ISSUER and SWITCHBOARD_MCP_CLIENT_SECRET are not both set: every call will be refused');
  const { staticKeys } = config;
  const options = {
    host,
    port,
    apiUrl,
    log,
    tools,
    timeoutMs,
    retries,
    allowedHosts,
    elicitation,
    resource,
    staticKeys,
  };
  const served = await startMcpHttp(options);
  onShutdown('mcp', () => served.close());
  log.info({ url: served.url, api: apiUrl }, 'serving MCP over HTTP');
  reportReady();
}

main().catch(failStart);
