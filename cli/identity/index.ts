import { parseArgs } from 'node:util';

import { saveAgentClient } from '../../db/agent-clients.ts';
import { listAgents } from '../../db/directory.ts';
import { unlinkUser } from '../../db/identities.ts';
import { endLoginSessionsOf } from '../../db/login-sessions.ts';
import { revoke } from '../../db/revocations.ts';
import type { Database } from '../../db/pool.ts';
import { loadConfig } from '../../platform/config.ts';
import type { Config } from '../../platform/config.ts';
import { SigningKeys, tokenKeysFile } from '../../platform/tokens/signing-keys.ts';
import { openOperatorDatabase } from '../operator-database.ts';
import { say } from '../say.ts';

const USAGE = `identity rotate-keys                                   make a new key for tokens of the token service
identity end --organisation ID --principal ID          end all sessions and tokens of a person or agent
identity unlink --organisation ID --principal ID       forget which account is a person's; the next sign-in links anew
identity client --organisation ID --agent NAME --client ID [--subject SUB]
                                                       let an agent sign in for itself (client credentials)`;

/** Longer than any token or session lives. */
const LONGEST_MS = 31 * 86_400_000;

interface Command {
  readonly config: Config;
  readonly values: Readonly<Record<string, string | undefined>>;
}

const commands: Readonly<Record<string, (command: Command) => Promise<number>>> = {
  'rotate-keys': rotate,
  end,
  unlink,
  client: addClient,
};

/** `switchboard identity …`: keys of the token service, and who may get in. Answers the exit code. */
export async function runIdentity(args: string[]): Promise<number> {
  const text = { type: 'string' } as const;
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: { organisation: text, principal: text, agent: text, client: text, subject: text },
  });
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
      await revoke(sql, [`principal:${id}`], new Date(Date.now() + LONGEST_MS));
      say(`${String(await endLoginSessionsOf(sql, id))} browser sessions ended; tokens issued until now are refused.`);
    }),
  );
}

function unlink(command: Command): Promise<number> {
  const id = needed(command, 'principal');
  return inOrganisation(command, (database, organisation) =>
    database.transaction(organisation, async (sql) => {
      await unlinkUser(sql, id);
      await endLoginSessionsOf(sql, id);
      say(`The next sign-in of ${id} links an account anew.`);
    }),
  );
}

function addClient(command: Command): Promise<number> {
  const { oidcIssuer: issuer } = command.config;
  if (issuer === undefined) throw new Error('Set SWITCHBOARD_OIDC_ISSUER: a client belongs to an issuer.');
  const [name, client_id] = [needed(command, 'agent'), needed(command, 'client')];
  return inOrganisation(command, async (database, organisation) => {
    const agents = await database.inOrganisation(organisation, listAgents);
    const agent = agents.find((one) => one.name === name || one.id === name);
    if (!agent) throw new Error(`No agent is called ${name}.`);
    const client = { client_id, agent_id: agent.id, subject: command.values['subject'] ?? null };
    const saved = await database.inOrganisation(organisation, (sql) => saveAgentClient(sql, issuer, client));
    if (!saved)
      throw new Error(`${client_id} at ${issuer} is registered already, as another agent; use a client of its own.`);
    say(`${client_id} at ${issuer} is ${agent.name} from now on.`);
  });
}

function needed({ values }: Command, name: string): string {
  const value = values[name];
  if (value === undefined) throw new Error(`--${name} is missing.\n${USAGE}`);
  return value;
}

async function inOrganisation(
  command: Command,
  work: (database: Database, organisation: string) => Promise<void>,
): Promise<number> {
  const organisation = needed(command, 'organisation');
  const database = openOperatorDatabase(command.config);
  try {
    await work(database, organisation);
    return 0;
  } finally {
    await database.close();
  }
}
