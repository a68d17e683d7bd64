import path from 'node:path';
import { z } from 'zod';

const PREFIX = 'SWITCHBOARD_';
const projectRoot = path.resolve(import.meta.dirname, '..');

const wholeNumber = (what: string, most: number) =>
  z
    .string()
    .regex(/^\d+$/, `must be ${what}`)
    .transform(Number)
    .refine((value) => value <= most, `must be ${what}`);
const port = () => wholeNumber('a port, 0 to 65535 (0 picks a free one)', 65_535);
const amount = () =>
  wholeNumber('a number from 1 to 1000000', 1_000_000).refine((value) => value >= 1, 'must be at least 1');
const milliseconds = () => wholeNumber('milliseconds, at most one hour (3600000)', 3_600_000);
const flag = () =>
  z.enum(['true', 'false', '1', '0'], 'must be true or false').transform((value) => value === 'true' || value === '1');
const httpUrl = () => z.url({ protocol: /^https?$/, error: 'must be an http or https address' });
const postgresUrl = () => z.url({ protocol: /^postgres(ql)?$/, error: 'must be a postgres:// address' });
const names = () => z.string().transform((list) => list.split(',').flatMap((name) => name.trim() || []));
const hostAndPort = () => z.string().regex(/^\S+:\d{1,5}$/, 'must be host:port');

/** Every setting, by the environment variable of the same name (`apiPort` is `SWITCHBOARD_API_PORT`). */
export const ConfigVariables = z.object({
  dataDir: z
    .string()
    .default(path.join(projectRoot, '.data'))
    .transform((folder) => path.resolve(folder))
    .describe('Folder of everything that is kept between runs'),
  layout: z
    .enum(['single', 'cluster'], 'must be single or cluster')
    .default('single')
    .describe(
      'What `npm start` runs: one API and worker on the Temporal development server, or two of each on its real server',
    ),
  apiHost: z.string().default('127.0.0.1').describe('Address the API and the MCP server listen on'),
  apiPort: port().default(8088).describe('Port of the HTTP API'),
  mcpPort: port().default(8091).describe('Port of the MCP server over Streamable HTTP'),
  publicUrl: httpUrl().optional().describe('Address under which clients reach the API, where it is not its own'),
  databaseUrl: postgresUrl().optional().describe('Postgres as the application role; unset: the embedded server'),
  databaseOwnerUrl: postgresUrl().optional().describe('Postgres as the owner of the tables, for migrations'),
  postgresPort: port().default(54_329).describe('Port of the embedded Postgres'),
  temporalAddress: hostAndPort().optional().describe('host:port of Temporal; unset: the development server'),
  temporalPort: port().default(7233).describe('Port of the Temporal development server'),
  temporalUiPort: port().default(8233).describe('Port of the Temporal Web UI'),
  temporalNamespace: z.string().default('default').describe('Temporal namespace'),
  temporalTaskQueue: z.string().default('switchboard').describe('Task queue of the workflows'),
  logLevel: z
    .enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'], 'must be a log level: trace … fatal, silent')
    .default('info')
    .describe('Least severe log line that is written'),
  keysFile: z.string().optional().describe('File of the development API keys; unset: keys.json in the data folder'),
  shutdownGraceMs: milliseconds().default(15_000).describe('Time a process has to drain before it is stopped hard'),
  webhookAllowPrivate: flag().default(false).describe('Webhooks may go to loopback and private addresses'),
  workerMaxCachedWorkflows: wholeNumber('a number from 0 to 100000', 100_000)
    .default(100)
    .describe('Workflows a worker keeps in memory'),
  auditRetentionDays: wholeNumber('a number of days, at most 36500', 36_500)
    .refine((days) => days >= 1, 'must be at least one day')
    .optional()
    .describe('Days after which `npm run audit -- retain` removes lines of the record; unset: kept for ever'),
  limitRequestsPerSecond: amount().default(200).describe('Requests a second of one principal to one API process'),
  limitRequestsBurst: amount().default(400).describe('Requests of one principal beyond that, in ten seconds'),
  limitCreationsPerMinute: amount()
    .default(6_000)
    .describe('Tasks that one principal sends in a minute over all API processes; as many approvals and sessions'),
  limitNotificationsPerMinute: amount()
    .default(1_000)
    .describe('Notifications that one principal sends in a minute over all API processes'),
  limitNotificationsToOnePerMinute: amount()
    .default(2_000)
    .describe('Notifications that one agent, person or role gets in a minute, whoever sends them'),
  limitOrganisationFactor: amount()
    .default(10)
    .describe('What a whole organisation may do, in times of what one principal may'),
  limitConnections: amount()
    .default(20)
    .describe('Streams, and as many long polls, that one principal holds open at one API process'),
  limitClaims: amount()
    .default(1_000)
    .describe('Tasks that one principal holds at once; an online agent: its capacity'),
  limitTaskDepth: amount().default(100).describe('Levels that a tree of tasks may have'),
  limitTaskChildren: amount().default(10_000).describe('Tasks that one task may have directly below it'),
  workflowBundle: z.string().optional().describe('Prebuilt workflow bundle; unset: bundled when the worker starts'),
  buildId: z
    .string()
    .regex(/^[\w.-]{1,60}$/, 'must be 1 to 60 letters, digits, dots, dashes')
    .optional()
    .describe('Build that a worker is of; unset: a digest of its workflow bundle'),
  workerDeployment: z
    .string()
    .regex(/^[\w-]{1,60}$/, 'must be 1 to 60 letters, digits, dashes')
    .default('switchboard')
    .describe('Deployment whose builds follow each other'),
  workerPromote: flag()
    .default(false)
    .describe(
      'A worker makes its build the current one when it starts, and open workflows move to it; `npm start` does',
    ),
  codecOrigins: z
    .string()
    .transform((list) => list.split(',').map((origin) => origin.trim()))
    .pipe(z.array(z.url({ protocol: /^https?$/, error: 'must be http or https origins, separated by commas' })))
    .optional()
    .describe('Origins of the Temporal Web UI that may ask the codec endpoint; unset: the development server'),
  oidcIssuer: httpUrl()
    .optional()
    .describe('OpenID provider whose tokens are accepted; unset: `npm start` runs one for development'),
  oidcPort: port().default(9080).describe('Port of the development OpenID provider'),
  oidcAudience: z.string().min(1).default('urn:switchboard:api').describe('Audience of access tokens for the API'),
  oidcMcpAudience: z
    .string()
    .optional()
    .describe('Address of the MCP server, which is the audience of tokens for it; unset: this machine, mcpPort'),
  oidcClientId: z.string().min(1).default('switchboard-web').describe('Client with which people sign in by browser'),
  oidcClientSecret: z.string().optional().describe('Its secret, where the provider gave it one'),
  oidcPeopleClients: names().optional().describe('Clients whose tokens stand for the person; unset: oidcClientId'),
  oidcExchangeClients: names()
    .default(['switchboard-mcp'])
    .describe('Clients that may only exchange tokens for the MCP audience for tokens of the API'),
  oidcOrganisationClaim: z.string().default('organisation').describe('Claim with the id of the organisation'),
  oidcMaxTokenSeconds: wholeNumber('a number of seconds, at most 86400', 86_400)
    .default(900)
    .describe('Access tokens that live longer are refused'),
  oidcExtraScopes: z
    .string()
    .regex(/^[\x21\x23-\x5b\x5d-\x7e]*( +[\x21\x23-\x5b\x5d-\x7e]+)*$/, 'must be scopes, separated by spaces')
    .default('')
    .transform((list) => list.split(' ').filter((scope) => scope !== ''))
    .describe('Scopes that are asked for in addition when people and clients sign in, separated by spaces'),
  oidcPersonClientId: z
    .string()
    .min(1)
    .default('switchboard-person')
    .describe('Client with which `login --person` gets a token that is the person; one of oidcPeopleClients'),
  oidcRequireScopes: flag()
    .default(true)
    .describe('Access tokens need the scope switchboard:read or switchboard:write; false for providers without scopes'),
  sessionIdleMinutes: amount().default(480).describe('Minutes without a request after which a browser session ends'),
  sessionHours: amount().default(24).describe('Hours after which a browser session ends in any case'),
  trustedProxies: z
    .string()
    .optional()
    .describe('Addresses of proxies whose X-Forwarded-For is believed, separated by commas; unset: none'),
  staticKeys: flag()
    .default(false)
    .describe('Development API keys (sbk_…) are accepted and written; never in production'),
  clientId: z.string().optional().describe('Client with which the MCP extension (stdio) and `login` ask for tokens'),
  clientSecret: z.string().optional().describe('Its secret: then it signs in for itself, by client credentials'),
  mcpClientId: z.string().default('switchboard-mcp').describe('Client of the MCP server, to exchange tokens'),
  mcpClientSecret: z.string().optional().describe('Its secret'),
  mcpUrl: httpUrl()
    .optional()
    .describe('Address under which clients reach the MCP server; unset: this machine, mcpPort'),
  proxyUrl: httpUrl()
    .default('http://127.0.0.1:8090')
    .describe('Address under which clients reach models, written into their configuration'),
  apiUrl: httpUrl().optional().describe('Where the MCP extension finds the API; unset: this machine, apiPort'),
  apiKey: z.string().optional().describe('API key the MCP extension signs in with over stdio'),
  approverKey: z
    .string()
    .optional()
    .describe('API key of the person at the MCP client (stdio), as whom that person decides when asked there'),
  mcpElicitation: flag()
    .default(false)
    .describe('The MCP extension asks the person at a client that can show forms to decide approvals'),
  mcpAllowedHosts: z
    .string()
    .regex(/^[^\s,/:]+(\s*,\s*[^\s,/:]+)*$/, 'must be host names without ports, separated by commas')
    .optional()
    .describe('Host names under which clients reach the MCP server over HTTP, besides loopback ones'),
});

/** The settings of a process, read once at its start. */
export type Config = Omit<
  z.infer<typeof ConfigVariables>,
  'keysFile' | 'apiUrl' | 'mcpUrl' | 'publicUrl' | 'oidcMcpAudience'
> & {
  keysFile: string;
  oidcMcpAudience: string;
  apiUrl: string;
  mcpUrl: string;
  publicUrl: string;
};

/** The environment variable of a setting: `apiPort` is `SWITCHBOARD_API_PORT`. */
export const variableName = (setting: string): string =>
  PREFIX + setting.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase();

/** Reads the configuration; throws one error that names every variable that is wrong (never its value). */
export function loadConfig(env: Record<string, string | undefined> = process.env): Config {
  const given: Record<string, string> = {};
  for (const setting of Object.keys(ConfigVariables.shape)) {
    const value = env[variableName(setting)];
    if (value !== undefined && value !== '') given[setting] = value;
  }
  const parsed = ConfigVariables.safeParse(given);
  if (!parsed.success) throw new Error(describeFaults(parsed.error));
  return withDerived(parsed.data);
}

function describeFaults(error: z.ZodError): string {
  const lines = error.issues.map((issue) => `  ${variableName(issue.path.join('.'))} ${issue.message}`);
  return ['Configuration is wrong:', ...lines].join('\n');
}

function withDerived(values: z.infer<typeof ConfigVariables>): Config {
  const own = `http://${reachableHost(values.apiHost)}:${String(values.apiPort)}`;
  return {
    ...values,
    keysFile: path.resolve(values.keysFile ?? path.join(values.dataDir, 'keys.json')),
    apiUrl: values.apiUrl ?? own,
    mcpUrl: values.mcpUrl ?? `http://${reachableHost(values.apiHost)}:${String(values.mcpPort)}/mcp`,
    publicUrl: values.publicUrl ?? own,
    oidcMcpAudience: values.oidcMcpAudience ?? mcpAddress(values),
  };
}

/** Where the MCP server is reached on this machine. */
export const mcpAddress = ({ apiHost, mcpPort }: { readonly apiHost: string; readonly mcpPort: number }): string =>
  `http://${reachableHost(apiHost)}:${String(mcpPort)}/mcp`;

/** Where the development identity provider of `npm start` is. */
export const developmentIssuer = ({ oidcPort }: { readonly oidcPort: number }): string =>
  `http://127.0.0.1:${String(oidcPort)}`;

/** The host a local client connects to when a server listens on this one (0.0.0.0 is no address to call). */
export const reachableHost = (host: string): string => {
  if (host === '0.0.0.0' || host === '::') return '127.0.0.1';
  return host.includes(':') ? `[${host}]` : host;
};
