import { developmentIssuer, mcpAddress, reachableHost } from '../../platform/config.ts';
import type { Config } from '../../platform/config.ts';
import { settlePort } from '../../platform/ports.ts';
import type { PortUse } from '../../platform/ports.ts';

interface NeededPort extends PortUse {
  readonly setting: 'apiPort' | 'mcpPort' | 'postgresPort' | 'temporalPort' | 'temporalUiPort' | 'oidcPort';
}

/** The configuration with every port a number: each 0 replaced by one that is free; throws where one is taken. */
export async function settlePorts(config: Config): Promise<Config> {
  const settled = { ...config };
  const taken = new Map<number, string>();
  for (const needed of neededPorts(config)) {
    const port = config[needed.setting];
    const other = port === 0 ? undefined : taken.get(port);
    if (other !== undefined)
      throw new Error(`${needed.variable} and ${other} are both ${String(port)}: change one of them.`);
    settled[needed.setting] = await settlePort(port, needed);
    taken.set(settled[needed.setting], needed.variable);
  }
  return withOwnAddresses(config, settled);
}

function neededPorts(config: Config): NeededPort[] {
  const local = '127.0.0.1';
  return [
    { what: 'API', setting: 'apiPort', variable: 'SWITCHBOARD_API_PORT', host: config.apiHost },
    { what: 'MCP server', setting: 'mcpPort', variable: 'SWITCHBOARD_MCP_PORT', host: config.apiHost },
    ...(config.oidcIssuer === undefined
      ? [{ what: 'identity provider', setting: 'oidcPort', variable: 'SWITCHBOARD_OIDC_PORT', host: local } as const]
      : []),
    ...(config.databaseUrl === undefined
      ? [{ what: 'Postgres', setting: 'postgresPort', variable: 'SWITCHBOARD_POSTGRES_PORT', host: local } as const]
      : []),
    ...(config.temporalAddress === undefined
      ? [
          {
            what: 'Temporal',
            setting: 'temporalPort',
            variable: 'SWITCHBOARD_TEMPORAL_PORT',
            host: local,
            low: config.layout === 'cluster',
          } as const,
          {
            what: 'Temporal Web UI',
            setting: 'temporalUiPort',
            variable: 'SWITCHBOARD_TEMPORAL_UI_PORT',
            host: local,
          } as const,
        ]
      : []),
  ];
}

/** Addresses that were derived from a port 0 follow the port that was picked. */
function withOwnAddresses(before: Config, settled: Config): Config {
  const own = (config: Config): string => `http://${reachableHost(config.apiHost)}:${String(config.apiPort)}`;
  const follow = (address: string): string => (address === own(before) ? own(settled) : address);
  return {
    ...settled,
    apiUrl: follow(before.apiUrl),
    publicUrl: follow(before.publicUrl),
    oidcMcpAudience: before.oidcMcpAudience === mcpAddress(before) ? mcpAddress(settled) : before.oidcMcpAudience,
    oidcIssuer: before.oidcIssuer ?? developmentIssuer(settled),
  };
}
