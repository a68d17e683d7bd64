import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';

import { bundleKeysFile, publicBundleKeys, rotateBundleKey } from '../../directory/bundle-keys.ts';
import { loadConfig } from '../../platform/config.ts';
import { BundleKeys, ProfileBundleError, verifyProfileBundle } from '../../platform/profile-bundle.ts';
import { say } from '../say.ts';

const HELP = `switchboard profile <command>

  verify FILE  whether a signed profile bundle may be used; exit code 1 where not
               --keys FILE or address of GET /profiles/keys
               [--last-version N] [--organisation ID] [--role ROLE]
  keys         the public keys that bundles are verified with, as JSON Web Key Set
  rotate       make a new signing key: published now, in use after an hour, former bundles stay valid
               [--now]  for a key in wrong hands: in use at once, former bundles are refused`;

const FETCH_MS = 10_000;

interface Options {
  readonly keys?: string | undefined;
  readonly 'last-version'?: string | undefined;
  readonly organisation?: string | undefined;
  readonly role?: string | undefined;
  readonly now?: boolean | undefined;
}

const commands: Readonly<Record<string, (operands: readonly string[], options: Options) => Promise<number>>> = {
  verify,
  keys: () => {
    say(JSON.stringify(publicBundleKeys(bundleKeysFile(loadConfig().dataDir)), null, 2));
    return Promise.resolve(0);
  },
  rotate: (_, { now = false }) => {
    const kid = rotateBundleKey(bundleKeysFile(loadConfig().dataDir), { immediately: now });
    say(now ? `Bundles are signed with ${kid} from now on.` : `Bundles will be signed with ${kid} in an hour.`);
    return Promise.resolve(0);
  },
};

/** Public keys from a file or an address. */
async function readKeys(source: string): Promise<BundleKeys> {
  const isAddress = /^https?:\/\//.test(source);
  const text = isAddress ? await fetchText(source) : readFileSync(source, 'utf8');
  try {
    return BundleKeys.parse(JSON.parse(text));
  } catch {
    throw new Error(`${source} is no JSON Web Key Set, as GET /profiles/keys answers it.`);
  }
}

async function fetchText(url: string): Promise<string> {
  const response = await fetch(url, { signal: AbortSignal.timeout(FETCH_MS) });
  if (!response.ok) throw new Error(`${url} answered ${String(response.status)}.`);
  return response.text();
}

async function verify([file]: readonly string[], options: Options): Promise<number> {
  const { keys, 'last-version': last, organisation, role } = options;
  if (file === undefined || keys === undefined) throw new Error('Say which bundle, and --keys FILE or address.');
  if (last !== undefined && !/^\d{1,9}$/.test(last))
    throw new Error('--last-version: must be the number of a version.');
  try {
    const bundle = await verifyProfileBundle(readFileSync(file, 'utf8').trim(), await readKeys(keys), {
      ...(last !== undefined && { lastVersion: Number(last) }),
      ...(organisation !== undefined && { organisation }),
      ...(role !== undefined && { role }),
    });
    const until = new Date(bundle.exp * 1_000).toISOString();
    say(
      `Profile of ${bundle.role}, version ${String(bundle.version)}, of ${bundle.organisation}: holds until ${until}`,
    );
    return 0;
  } catch (error) {
    if (!(error instanceof ProfileBundleError)) throw error;
    say(`REFUSED  ${error.code}: ${error.message}`);
    return 1;
  }
}

/** `switchboard profile`: what can be done with signed profile bundles. Answers the exit code. */
export async function runProfile(args: string[]): Promise<number> {
  const text = { type: 'string' } as const;
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: { keys: text, 'last-version': text, organisation: text, role: text, now: { type: 'boolean' } },
  });
  const [name = 'help', ...operands] = positionals;
  const command = commands[name];
  if (command) return command(operands, values);
  say(HELP);
  return name === 'help' ? 0 : 2;
}
