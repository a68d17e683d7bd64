import { configureShutdown, onShutdown } from '../../platform/shutdown.ts';
import { createLogger } from '../../platform/log.ts';
import type { Config } from '../../platform/config.ts';
import { passwordsFile } from '../../identity/index.ts';
import { product } from '../product.ts';
import { say } from '../say.ts';
import { startStack } from '../stack/stack.ts';
import type { RunningConfig, Stack } from '../stack/stack.ts';
import { ADMINISTRATOR, openCast } from './cast.ts';
import type { Cast } from './cast.ts';
import { tableOf } from './checks.ts';
import { Checks } from './checks.ts';
import { membersWhoSignIn } from './members.ts';
import type { Members } from './members.ts';
import { demoConfig, demoOptions } from './options.ts';
import type { DemoOptions } from './options.ts';
import { onboard } from './onboarding.ts';
import { readPasswords } from './passwords.ts';
import { play } from './play.ts';
import { tidy } from './tidy.ts';

/** Parts that are stopped one after another, each within its own grace. */
const PARTS = 7;
const INTERRUPTED = 130;

/** Starts the product, plays the scenarios on it with real clients, and answers 0 only where every check held. */
export async function runDemo(args: string[]): Promise<number> {
  const options = demoOptions(args);
  const config = await demoConfig();
  const log = createLogger({ name: 'demo', level: 'error' });
  configureShutdown({ graceMs: PARTS * (config.shutdownGraceMs + 2000), log });
  const demo = new Demo(config);
  onShutdown('demo', async () => {
    await demo.stop();
    process.exit(demo.code);
  });
  try {
    await demo.start();
    demo.code = await demo.play(options);
    if (options.keep) await demo.untilStopped();
    return demo.code;
  } finally {
    await demo.stop();
  }
}

/** The running demonstration. */
class Demo {
  /** What the process ends with: interrupted, until the scenarios were played. */
  code = INTERRUPTED;
  readonly #config: Config;
  readonly #abort = new AbortController();
  #stack: Promise<Stack> | undefined;
  #cast: Cast | undefined;
  #stopping: Promise<void> | undefined;

  constructor(config: Config) {
    this.#config = config;
  }

  async start(): Promise<void> {
    say(`The demonstration keeps its data in ${this.#config.dataDir}`);
    this.#stack = startStack({ ...product, config: this.#config, say, signal: this.#abort.signal });
    const { config, addresses } = await this.#stack;
    this.#cast = await openCast({
      apiUrl: addresses.api,
      members: await membersOf(config, addresses.api),
      temporal: { address: addresses.temporal, namespace: config.temporalNamespace },
      temporalUi: addresses.temporalUi,
    });
    const left = await tidy(this.#cast);
    if (left > 0) say(`cancelled ${String(left)} tasks that an interrupted run left open`);
  }

  async play({ scenarios, people }: DemoOptions): Promise<number> {
    if (!this.#cast || !this.#stack) throw new Error('The demonstration was not started.');
    const { failure, logFile } = await this.#stack;
    // Once it is being stopped, calls fail because of that: nobody wants to read so.
    const sayNow = (line: string): void => (this.#abort.signal.aborted ? undefined : say(line));
    const played = this.#played(scenarios, people, sayNow);
    const checks = await Promise.race([played, failure.then(({ message }) => Promise.reject(new Error(message)))]);
    if (this.#abort.signal.aborted) return INTERRUPTED;
    report(checks);
    if (checks.failed.length > 0) say(`The whole log is in ${logFile}`);
    return checks.failed.length === 0 ? 0 : 1;
  }

  async #played(scenarios: DemoOptions['scenarios'], people: number | undefined, say: (line: string) => void) {
    if (!this.#cast || !this.#stack) throw new Error('The demonstration was not started.');
    const { apiUrl, members } = this.#cast.place;
    const checks = new Checks();
    if (people !== undefined) {
      const passwords = readPasswords(passwordsFile((await this.#stack).config.dataDir));
      const { organisationId } = members;
      await onboard({ apiUrl, organisationId, passwords, administrator: ADMINISTRATOR, people, checks, say });
    }
    return play(this.#cast, scenarios, { say, checks });
  }

  /** Leaves the product up until Ctrl-C, or until a part of it ends. */
  async untilStopped(): Promise<void> {
    if (!this.#stack) return;
    const { addresses, config, failure } = await this.#stack;
    await this.#cast?.close();
    say(`\nAPI              ${addresses.api}`);
    say(`MCP over HTTP    ${addresses.mcp}`);
    if (addresses.temporalUi !== undefined) say(`Temporal Web UI  ${addresses.temporalUi}`);
    say(`Passwords        ${passwordsFile(config.dataDir)}`);
    say('\nEverything stays up. Ctrl-C stops it in order.');
    throw new Error((await failure).message);
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  async #stop(): Promise<void> {
    this.#abort.abort();
    const stack = await this.#stack?.catch(() => undefined);
    await this.#cast?.close();
    await stack?.stop();
  }
}

/** Everybody as the provider knows them; the file is there once it runs. */
function membersOf(config: RunningConfig, apiUrl: string): Promise<Members> {
  const { oidcIssuer: issuer = '', oidcClientId: clientId, oidcAudience: audience } = config;
  return membersWhoSignIn(
    { apiUrl, issuer, clientId, audience },
    readPasswords(passwordsFile(config.dataDir)),
    ADMINISTRATOR,
  );
}

function report({ all, failed }: Checks): void {
  say('');
  for (const line of tableOf(all)) say(line);
  say('');
  for (const { scenario, requirement, title, seen } of failed)
    say(`DISAGREES  ${scenario}: ${requirement}: ${title}: ${seen}`);
  say(`${String(all.length - failed.length)} of ${String(all.length)} checks hold.`);
}
