import { existsSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';

import type { Database } from '../../db/pool.ts';
import { loadConfig } from '../../platform/config.ts';
import type { Config } from '../../platform/config.ts';
import { eraseKeys, listKeys, rotateKey } from '../../privacy/key-ring-changes.ts';
import { loadMasterKey } from '../../privacy/keys.ts';
import type { MasterKey } from '../../privacy/keys.ts';
import { connectTemporal } from '../../temporal/connection.ts';
import { endWorkflowsOf } from '../../temporal/end-workflows.ts';
import { openOperatorDatabase } from '../operator-database.ts';
import { say } from '../say.ts';

const USAGE = `keys list
keys rotate --organisation ID     make a new key; what was encrypted before stays readable
keys erase --organisation ID --yes     destroy all keys of an organisation, for ever`;

interface Command {
  readonly config: Config;
  readonly database: Database;
  readonly organisation: string | undefined;
  readonly yes: boolean;
}

const commands: Readonly<Record<string, (command: Command) => Promise<number>>> = { list, rotate, erase };

/** `switchboard keys …`: the keys that workflow histories are encrypted with. Answers the exit code. */
export async function runKeys(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: { organisation: { type: 'string' }, yes: { type: 'boolean', default: false } },
  });
  const run = commands[positionals[0] ?? ''];
  if (run === undefined || positionals.length > 1) throw new Error(USAGE);
  const config = loadConfig();
  const database = openOperatorDatabase(config);
  try {
    return await run({ config, database, organisation: values.organisation, yes: values.yes });
  } finally {
    await database.close();
  }
}

async function list({ database }: Command): Promise<number> {
  for (const { organisationId, keys } of await listKeys(database)) {
    if (keys.length === 0) say(`${organisationId}  no key yet`);
    for (const { version, status, created_at, erased_at } of keys)
      say(
        `${organisationId}  version ${String(version)}  ${status}  made ${created_at.toISOString()}${erased_at ? `  erased ${erased_at.toISOString()}` : ''}`,
      );
  }
  return 0;
}

async function rotate(command: Command): Promise<number> {
  const organisation = required(command);
  const version = await rotateKey(command.database, masterKeyOf(command.config), organisation, operator());
  say(`${organisation}: new histories are encrypted with version ${String(version)} within five seconds.`);
  return 0;
}

async function erase(command: Command): Promise<number> {
  const organisation = required(command);
  if (!command.yes) {
    say(`This makes every workflow history of ${organisation} unreadable for ever, and ends its open workflows.`);
    say('Say --yes if that is what you want.');
    return 2;
  }
  const versions = await eraseKeys(command.database, organisation, operator());
  say(`${organisation}: ${String(versions)} versions of its key are destroyed.`);
  say(`${String(await endOpen(command.config, organisation))} open workflows were ended.`);
  say('Backups of the database made before still hold the sealed keys: let them expire.');
  return 0;
}

async function endOpen(config: Config, organisation: string): Promise<number> {
  const address = config.temporalAddress ?? `127.0.0.1:${String(config.temporalPort)}`;
  const { connection, client } = await connectTemporal({ address, namespace: config.temporalNamespace });
  return endWorkflowsOf(client, organisation).finally(() => connection.close());
}

function required({ organisation }: Command): string {
  if (organisation === undefined) throw new Error(`Say which organisation: --organisation ID\n\n${USAGE}`);
  return organisation;
}

/** Never makes a new one: a key sealed under it could be opened by nobody else. */
function masterKeyOf({ dataDir }: Config): MasterKey {
  const file = path.join(dataDir, 'master.key');
  if (!existsSync(file)) throw new Error(`${file} is missing: set SWITCHBOARD_DATA_DIR to the data folder of the API.`);
  return loadMasterKey(file);
}

const operator = (): string => os.userInfo().username;
