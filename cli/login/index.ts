import { loadConfig } from '../../platform/config.ts';
import type { Config } from '../../platform/config.ts';
import { SCOPES, signInByDevice, signOut } from '../../platform/sign-in/client.ts';
import { loginFile } from '../../platform/sign-in/login-file.ts';
import { say } from '../say.ts';

const DESKTOP = 'switchboard-cli';

/** `switchboard login`: signs a person in by device flow and keeps the tokens for the MCP extension. */
export async function runLogin(args: string[]): Promise<number> {
  if (args.length > 0) throw new Error('login takes no arguments: SWITCHBOARD_API_URL says where.');
  const config = loadConfig();
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

const targetOf = ({ apiUrl, oidcIssuer: issuer, oidcAudience: audience }: Config) => ({
  apiUrl,
  issuer,
  audience,
  scope: SCOPES.person,
});
