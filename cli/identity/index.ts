import { parseArgs } from 'node:util';

import { endAccess } from '../../db/end-access.ts';
import { unlinkUser } from '../../db/identities.ts';
import { endLoginSessionsOf } from '../../db/login-sessions.ts';
import { revokeProvisioningToken } from '../../db/provisioning-tokens.ts';
import { loadConfig } from '../../platform/config.ts';
import { SigningKeys, tokenKeysFile } from '../../platform/tokens/signing-keys.ts';
import { recordOperator } from '../operator-record.ts';
import { say } from '../say.ts';
import { addClient } from './clients.ts';
import { inOrganisation, needed, USAGE } from './command.ts';
import type { Command } from './command.ts';
import { provisioningToken } from './provisioning.ts';

const commands: Readonly<Record<string, (command: Command) => Promise<number>>> = {
  'rotate-keys': rotate,
  end,
  unlink,
  client: addClient,
  'provisioning-token': provisioningToken,
};

const TEXTS = ['organisation', 'principal', 'agent', 'client', 'subject', 'days', 'revoke'] as const;
const FLAGS = ['service', 'list'] as const;

/** `switchboard identity …`: keys of the token service, and who may get in. Answers the exit code. */
export async function runIdentity(args: string[]): Promise<number> {
  const options = {
    ...Object.fromEntries(TEXTS.map((name) => [name, { type: 'string' } as const])),
    ...Object.fromEntries(FLAGS.map((name) => [name, { type: 'boolean' } as const])),
  };
  const { values, positionals } = parseArgs({ args, allowPositionals: true, options });
  const run = commands[positionals[0] ?? ''];
  if (run === undefined || positionals.length > 1) throw new Error(USAGE);
  return run({ config: loadConfig(), values });
}

async function rotate({ config }: Command): Promise<number> {
  const keys = await SigningKeys.open(tokenKeysFile(config.dataDir));
  say(`Tokens are signed with ${await keys.rotate()} from now on; the former key is published for another day.`);
  return 0;
}

function end(command: Command): Promise<number> {
  const id = needed(command, 'principal');
  return inOrganisation(command, (database, organisation) =>
    database.transaction(organisation, async (sql) => {
      const { sessions, agents } = await endAccess(sql, [id], 'signed_out');
      if (id.startsWith('service_')) await revokeProvisioningToken(sql, id.slice('service_'.length));
      await recordOperator(sql, { action: 'identity.ended', kind: 'identity', id, details: { sessions, agents } });
      say(`${String(sessions)} browser sessions ended; tokens issued until now are refused.`);
    }),
  );
}

function unlink(command: Command): Promise<number> {
  const id = needed(command, 'principal');
  return inOrganisation(command, (database, organisation) =>
    database.transaction(organisation, async (sql) => {
      const accounts = (await unlinkUser(sql, id)).length;
      const sessions = await endLoginSessionsOf(sql, id);
      await recordOperator(sql, { action: 'identity.unlinked', kind: 'identity', id, details: { accounts, sessions } });
      say(`The next sign-in of ${id} links an account anew.`);
    }),
  );
}
