import { existsSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

import { runMigrate } from './migrate.ts';
import { product } from './product.ts';
import { say } from './say.ts';
import { runStart } from './start.ts';

type Command = (args: string[]) => Promise<number | undefined>;

const root = path.resolve(import.meta.dirname, '..');

const HELP = `switchboard <command>

  start         run everything: Postgres, Temporal, identity provider, API, worker, MCP server (Ctrl-C stops)
  demo          run the demonstration (--people 50: import people, and let them sign in)
  migrate       bring the database up to date
  login         sign in at the API by device flow, for the MCP extension (logout: forget it)
  mcp           the MCP extension over stdio (--http: over Streamable HTTP)
  import        org chart from a CSV file (--dry-run: only say what would change)
  identity      keys of tokens, clients, provisioning tokens, ending somebody's access (identity help)
  profile       verify signed profile bundles, keys, rotation (profile help)
  audit         verify, export and prune the record, receipts (audit help)
  keys          list, rotate or erase the keys of workflow histories
  organisation  list, export or erase what is stored of an organisation
  versions      list, ramp, promote or roll back builds of the workers
  help          this text

Settings are environment variables (SWITCHBOARD_API_PORT …), described in platform/config.ts.`;

const commands: Readonly<Record<string, Command>> = {
  start: async () => {
    await runStart(product);
    return undefined;
  },
  demo: async (args) => {
    const { runDemo } = (await load('cli/demo/index.ts')) as { runDemo: (args: string[]) => Promise<number> };
    return runDemo(args);
  },
  migrate: async () => {
    await runMigrate();
    return 0;
  },
  audit: async (args) => {
    const { runAudit } = (await load('cli/audit/index.ts')) as { runAudit: (args: string[]) => Promise<number> };
    return runAudit(args);
  },
  profile: async (args) => {
    const { runProfile } = (await load('cli/profile/index.ts')) as { runProfile: (args: string[]) => Promise<number> };
    return runProfile(args);
  },
  mcp: async (args) => {
    await load(args.includes('--http') ? 'mcp-extension/http-main.ts' : 'mcp-extension/stdio-main.ts');
    return undefined;
  },
  keys: async (args) => {
    const { runKeys } = (await load('cli/keys/index.ts')) as { runKeys: (args: string[]) => Promise<number> };
    return runKeys(args);
  },
  organisation: async (args) => {
    const { runOrganisation } = (await load('cli/organisation/index.ts')) as {
      runOrganisation: (args: string[]) => Promise<number>;
    };
    return runOrganisation(args);
  },
  login: async (args) => {
    const { runLogin } = (await load('cli/login/index.ts')) as { runLogin: (args: string[]) => Promise<number> };
    return runLogin(args);
  },
  logout: async (args) => {
    const { runLogout } = (await load('cli/login/index.ts')) as { runLogout: (args: string[]) => Promise<number> };
    return runLogout(args);
  },
  identity: async (args) => {
    const { runIdentity } = (await load('cli/identity/index.ts')) as {
      runIdentity: (args: string[]) => Promise<number>;
    };
    return runIdentity(args);
  },
  versions: async (args) => {
    const { runVersions } = (await load('cli/versions/index.ts')) as {
      runVersions: (args: string[]) => Promise<number>;
    };
    return runVersions(args);
  },
  import: async (args) => {
    const { runImport } = (await load('cli/import/index.ts')) as { runImport: (args: string[]) => Promise<number> };
    return runImport(args);
  },
  help: () => {
    say(HELP);
    return Promise.resolve(0);
  },
};

/** Loads a part only when its command is used: the others start faster and do not depend on it. */
async function load(file: string): Promise<unknown> {
  const absolute = path.join(root, file);
  if (!existsSync(absolute)) throw new Error(`${file} is missing from this installation.`);
  return import(pathToFileURL(absolute).href);
}

async function main([name = 'help', ...args]: string[]): Promise<void> {
  const command = commands[name === '--help' || name === '-h' ? 'help' : name];
  if (command === undefined) {
    process.stderr.write(`Unknown command "${name}".\n\n${HELP}\n`);
    process.exit(2);
  }
  try {
    const code = await command(args);
    if (code !== undefined) process.exit(code);
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    if (process.env['SWITCHBOARD_LOG_LEVEL'] === 'debug' && error instanceof Error)
      process.stderr.write(`${error.stack ?? ''}\n`);
    process.exit(1);
  }
}

await main(process.argv.slice(2));
