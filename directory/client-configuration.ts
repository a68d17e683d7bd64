import { stringify } from 'yaml';

import { SWITCHBOARD_EXTENSION } from './profile-schema.ts';
import type { Profile } from './profile-schema.ts';

/** Where clients find what their configuration points to. */
export interface ClientAddresses {
  /** The MCP server over Streamable HTTP. */
  readonly mcpUrl: string;
  /** The proxy through which models are called. */
  readonly proxyUrl: string;
}

type Extension = Profile['extensions'][number];

/** The variable with the Switchboard key or token; the configuration itself holds no secret. */
const KEY = 'SWITCHBOARD_API_KEY';
const TIMEOUT_S = 300;
/** What goose brings along (https://block.github.io/goose, Extensions). */
const GOOSE_BUILTIN = ['developer', 'memory', 'computercontroller', 'autovisualiser', 'tutorial'];

/** The setting with which goose finds a provider elsewhere than at its own address. */
const HOST_SETTINGS: Readonly<Record<string, string>> = {
  anthropic: 'ANTHROPIC_HOST',
  openai: 'OPENAI_HOST',
  openrouter: 'OPENROUTER_HOST',
  ollama: 'OLLAMA_HOST',
};

const bearer = (variable: string): string => `Bearer \${${variable}}`;

function gooseLaunch(extension: Extension, { mcpUrl }: ClientAddresses): Record<string, unknown> | undefined {
  const { name, launch } = extension;
  const http = (uri: string, key?: string): Record<string, unknown> => ({
    type: 'streamable_http',
    uri,
    ...(key !== undefined && { headers: { Authorization: bearer(key) }, env_keys: [key] }),
  });
  if (name === SWITCHBOARD_EXTENSION) return http(mcpUrl, KEY);
  if (launch?.type === 'http') return http(launch.url, launch.token_key);
  if (launch?.type === 'stdio')
    return { type: 'stdio', cmd: launch.command, args: launch.args, env_keys: launch.env_keys };
  return launch?.type === 'builtin' || GOOSE_BUILTIN.includes(name) ? { type: 'builtin' } : undefined;
}

function gooseExtension(extension: Extension, addresses: ClientAddresses): Record<string, unknown> | undefined {
  const launch = gooseLaunch(extension, addresses);
  if (!launch) return undefined;
  const { name, enabled, tools } = extension;
  return { ...launch, name, enabled, timeout: TIMEOUT_S, ...(tools && { available_tools: tools }) };
}

/** Models as goose knows them: with a worker, the primary leads and the worker does the steps in between. */
function gooseModels({ providers }: Profile, { proxyUrl }: ClientAddresses): Record<string, unknown> {
  const { primary, planner, worker } = providers;
  const steps = worker ?? primary;
  const used = [primary, planner, worker].flatMap((model) => (model ? [model.provider] : []));
  const hosts = [...new Set(used)].flatMap((provider) => HOST_SETTINGS[provider] ?? []);
  return {
    GOOSE_PROVIDER: steps.provider,
    GOOSE_MODEL: steps.model,
    ...(steps.temperature !== undefined && { GOOSE_TEMPERATURE: steps.temperature }),
    ...(worker && { GOOSE_LEAD_PROVIDER: primary.provider, GOOSE_LEAD_MODEL: primary.model }),
    ...(planner && { GOOSE_PLANNER_PROVIDER: planner.provider, GOOSE_PLANNER_MODEL: planner.model }),
    ...Object.fromEntries(hosts.map((setting) => [setting, proxyUrl])),
  };
}

/** A profile as config.yaml of goose: models through the proxy, extensions with their tools, settings. */
export function gooseConfiguration(profile: Profile, addresses: ClientAddresses): string {
  const rendered = profile.extensions.map(
    (extension) => [extension.name, gooseExtension(extension, addresses)] as const,
  );
  const unknown = rendered.flatMap(([name, extension]) => (extension ? [] : [name]));
  const settings = {
    ...gooseModels(profile, addresses),
    GOOSE_MODE: profile.privacy.strictness === 'permissive' ? 'auto' : 'smart_approve',
    GOOSE_TELEMETRY_ENABLED: false,
    ...profile.env_vars,
    extensions: Object.fromEntries(rendered.filter(([, extension]) => extension)),
  };
  const notes = [
    `# goose for ${profile.display_name}: ~/.config/goose/config.yaml. Set ${KEY} to your key or token.`,
    ...unknown.map((name) => `# ${name}: the profile does not say how it is started; add it by hand.`),
  ];
  return `${notes.join('\n')}\n${stringify(settings)}`;
}

function mcpServer({ name, launch }: Extension, { mcpUrl }: ClientAddresses): Record<string, unknown> | undefined {
  const http = (url: string, key?: string): Record<string, unknown> => ({
    type: 'http',
    url,
    ...(key !== undefined && { headers: { Authorization: bearer(key) } }),
  });
  if (name === SWITCHBOARD_EXTENSION) return http(mcpUrl, KEY);
  if (launch?.type === 'http') return http(launch.url, launch.token_key);
  if (launch?.type !== 'stdio') return undefined;
  const env = Object.fromEntries(launch.env_keys.map((key) => [key, `\${${key}}`]));
  return { type: 'stdio', command: launch.command, args: launch.args, env };
}

/** The MCP servers of a profile, in the form that MCP clients share; what is built into one client is left out. */
export function mcpConfiguration(
  { extensions }: Profile,
  addresses: ClientAddresses,
): { readonly mcpServers: Record<string, Record<string, unknown>> } {
  const servers = extensions
    .filter(({ enabled }) => enabled)
    .flatMap((extension) => {
      const server = mcpServer(extension, addresses);
      return server ? [[extension.name, server] as const] : [];
    });
  return { mcpServers: Object.fromEntries(servers) };
}
