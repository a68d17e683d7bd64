import { parseArgs } from 'node:util';

import { loadConfig } from '../../platform/config.ts';
import type { Config } from '../../platform/config.ts';
import { loginTokens, SCOPES, scopesWith, signInByDevice, signOut } from '../../platform/sign-in/client.ts';
import { loginFile } from '../../platform/sign-in/login-file.ts';
import { signInByLoopback } from '../../platform/sign-in/loopback.ts';
import { say } from '../say.ts';

const DESKTOP = 'switchboard-cli';
const USAGE = `login               sign in by device flow; the MCP extension acts for you from then on
login --token       print an access token of that login: an agent that acts for you
login --person      sign in by browser and print an access token that is you, for some minutes; nothing is kept`;

/** `switchboard login`: signs a person in and keeps the tokens for the MCP extension, or prints one. */
export async function runLogin(args: string[]): Promise<number> {
  const flag = { type: 'boolean', default: false } as const;
  const { values, positionals } = parseArgs({ args, allowPositionals: true, options: { token: flag, person: flag } });
  if (positionals.length > 0 || (values.token && values.person)) throw new Error(USAGE);
  const config = loadConfig();
  if (values.person) return printPerson(config);
  if (values.token) return printToken(config);
  await signInByDevice(loginFile(), config.clientId ?? DESKTOP, targetOf(config), ({ address, code, minutes }) => {
    say(`Open ${address}`);
    say(`and go on if it shows the code ${code} (within ${String(minutes)} minutes).`);
  });
  say(`Signed in at ${config.apiUrl}; kept in ${loginFile()}`);
  return 0;
}

/** `switchboard logout`: forgets the sign-in, here and at the provider. */
export async function runLogout(args: string[]): Promise<number> {
  if (args.length > 0) throw new Error('logout takes no arguments: SWITCHBOARD_API_URL says where.');
  const { apiUrl } = loadConfig();
  say((await signOut(loginFile(), apiUrl)) ? `Signed out at ${apiUrl}.` : `Nobody was signed in at ${apiUrl}.`);
  return 0;
}

/** The token alone goes to standard output, so that `$(…)` holds nothing else. */
async function printPerson(config: Config): Promise<number> {
  const target = targetOf(config, SCOPES.once);
  const token = await signInByLoopback(config.oidcPersonClientId, target, (address) => {
    process.stderr.write(`Open ${address}\n`);
  });
  say(token);
  return 0;
}

async function printToken({ apiUrl }: Config): Promise<number> {
  say(await loginTokens(loginFile(), apiUrl).token());
  return 0;
}

const targetOf = (config: Config, scope: string = SCOPES.person) => ({
  apiUrl: config.apiUrl,
  issuer: config.oidcIssuer,
  audience: config.oidcAudience,
  scope: scopesWith(scope, config.oidcExtraScopes),
});
