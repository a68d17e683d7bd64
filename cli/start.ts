import { createLogger } from '../platform/log.ts';
import { passwordsFile } from '../identity/index.ts';
import { developmentIssuer, loadConfig } from '../platform/config.ts';
import { configureShutdown, onShutdown, shutdown } from '../platform/shutdown.ts';
import { clientConfiguration } from './client-configuration.ts';
import { say } from './say.ts';
import { startStack } from './stack/stack.ts';
import type { Stack, StackOptions } from './stack/stack.ts';

/** What the product gives the stack beyond its configuration: see `cli/product.ts`. */
export type StackExtras = Pick<StackOptions, 'processes' | 'searchAttributes' | 'migrations' | 'prepare'>;

/** Parts that are stopped one after another, each within its own grace. */
const PARTS = 7;

/** Runs everything until Ctrl-C or SIGTERM; throws where it cannot start. Ends the process itself. */
export async function runStart(extras: StackExtras = {}): Promise<void> {
  const config = loadConfig();
  const log = createLogger({ name: 'switchboard', level: config.logLevel === 'info' ? 'warn' : config.logLevel });
  configureShutdown({ graceMs: PARTS * (config.shutdownGraceMs + 2000), log });
  const abort = new AbortController();
  const starting = startStack({ ...extras, config, say, signal: abort.signal });
  onShutdown('stack', async () => {
    abort.abort();
    const stack = await starting.catch(() => undefined);
    await stack?.stop();
    say('stopped');
  });
  try {
    await runUntilFailure(await starting);
  } catch (error) {
    if (!abort.signal.aborted) throw error;
  }
}

async function runUntilFailure(stack: Stack): Promise<void> {
  printWelcome(stack);
  const { name } = await stack.failure;
  say(`stopped, since ${name} ended; the whole log is in ${stack.logFile}`);
  await shutdown(`${name} ended`, 1);
}

function printWelcome({ addresses, config, logFile }: Stack): void {
  const clients = clientConfiguration({
    apiUrl: addresses.api,
    mcpUrl: addresses.mcp,
    signIn: !config.staticKeys,
  });
  say('');
  say(`API              ${addresses.api}`);
  say(`Documentation    ${addresses.docs}`);
  say(`MCP over HTTP    ${addresses.mcp}`);
  if (addresses.temporalUi !== undefined) say(`Temporal Web UI  ${addresses.temporalUi}`);
  say(`Sign-in          ${config.oidcIssuer ?? 'development keys only'}`);
  if (config.oidcIssuer === developmentIssuer(config)) say(`Passwords        ${passwordsFile(config.dataDir)}`);
  if (config.staticKeys) say(`API keys         ${config.keysFile}`);
  say(`Log              ${logFile}`);
  say(`\ngoose (~/.config/goose/config.yaml):\n${clients.goose}`);
  say(`\nClaude Code:\n${clients.claudeCode}`);
  say(`\nAny MCP client, over stdio or HTTP:\n${clients.anyClient}`);
  say('\nSwitchboard is ready. Ctrl-C stops it in order.');
}
