import { parseArgs } from 'node:util';

import { loadConfig } from '../../platform/config.ts';
import { say } from '../say.ts';
import type { AuditOptions } from './options.ts';

const HELP = `switchboard audit <command>

  verify     look for whatever was changed, removed, added or moved; exit code 1 where something is found
             [--organisation ID] [--from X] [--to Y]    X, Y: index of a link, or a time in RFC 3339
             --file export.ndjson --keys keys.json      an exported record, without database
  export     the record as ndjson [--organisation ID] [--from X] [--to Y] [--out FILE]
  receipt    of a task, an approval, a session or an event: receipt ID [--organisation ID] [--out FILE]
             --verify receipt.json --keys keys.json     whether a receipt holds, without database
  keys       the public keys, as JSON Web Key Set
  rotate     sign with a new key from now on; former public keys stay
  retain     remove what is older than SWITCHBOARD_AUDIT_RETENTION_DAYS, or --days N [--organisation ID]`;

// Each is loaded when it is asked for: an export should take little more memory than what it reads.
const commands: Readonly<Record<string, (options: AuditOptions) => Promise<number>>> = {
  verify: async (options) => (await import('./verify.ts')).runVerify(options),
  export: async (options) => (await import('./export.ts')).runExport(options),
  receipt: async (options) => (await import('./receipt.ts')).runReceipt(options),
  keys: async (options) => (await import('./keys.ts')).printKeys(options),
  rotate: async (options) => (await import('./keys.ts')).runRotate(options),
  retain: async (options) => (await import('./retain.ts')).runRetain(options),
};

/** `switchboard audit`: what can be done with the sealed record. Answers the exit code. */
export async function runAudit(args: string[]): Promise<number> {
  const text = { type: 'string' } as const;
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: { organisation: text, from: text, to: text, file: text, keys: text, out: text, verify: text, days: text },
  });
  const [name = 'help', ...operands] = positionals;
  const command = commands[name];
  if (!command) {
    say(HELP);
    return name === 'help' ? 0 : 2;
  }
  return command({ ...values, operands, config: loadConfig() });
}
