import path from 'node:path';
import { parseArgs } from 'node:util';

import { readCredentials } from '../../db/embedded/credentials.ts';
import { DATABASE, OWNER_ROLE } from '../../db/embedded/roles.ts';
import { organisationIds } from '../../db/deliveries.ts';
import { openOrganisationData } from '../../db/organisation-data.ts';
import type { Database } from '../../db/pool.ts';
import { listRecipeSchedules } from '../../db/recipes.ts';
import { loadConfig } from '../../platform/config.ts';
import type { Config } from '../../platform/config.ts';
import { eraseKeys } from '../../privacy/key-ring-changes.ts';
import { openPrivacy } from '../../privacy/open.ts';
import { connectTemporal } from '../../temporal/connection.ts';
import { endWorkflowsOf } from '../../temporal/end-workflows.ts';
import { removeRecipeSchedule } from '../../temporal/recipe-schedules.ts';
import { openOperatorDatabase } from '../operator-database.ts';
import { operatorAccount, recordOperator } from '../operator-record.ts';
import { say } from '../say.ts';
import { exportOrganisation } from './export.ts';

const USAGE = `organisation list
organisation export --organisation ID --to FOLDER     everything that is stored of it, as JSON lines, in clear
organisation erase --organisation ID --yes     everything but its record, for ever, with its keys`;

interface Command {
  readonly config: Config;
  readonly database: Database;
  readonly organisation: string;
  readonly to: string | undefined;
  readonly yes: boolean;
}

const commands: Readonly<Record<string, (command: Command) => Promise<number>>> = {
  list,
  export: exportAll,
  erase,
};

/** `switchboard organisation …`: hands out or erases what is stored of an organisation. Answers the exit code. */
export async function runOrganisation(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: { organisation: { type: 'string' }, to: { type: 'string' }, yes: { type: 'boolean', default: false } },
  });
  const name = positionals[0] ?? '';
  const run = commands[name];
  if (run === undefined || positionals.length > 1) throw new Error(USAGE);
  const { organisation = '', to, yes } = values;
  if (organisation === '' && name !== 'list') throw new Error(`Say which organisation: --organisation ID\n\n${USAGE}`);
  const config = loadConfig();
  const database = openOperatorDatabase(config);
  try {
    return await run({ config, database, organisation, to, yes });
  } finally {
    await database.close();
  }
}

async function list({ database }: Command): Promise<number> {
  for (const id of await database.unscoped(organisationIds)) say(id);
  return 0;
}

async function exportAll({ config, database, organisation, to }: Command): Promise<number> {
  if (to === undefined) throw new Error(`Say where to: --to FOLDER\n\n${USAGE}`);
  const { guard } = openPrivacy(path.join(config.dataDir, 'master.key'), database);
  const data = await openOrganisationData(ownerUrl(config), organisation);
  try {
    await database.inOrganisation(organisation, (sql) =>
      recordOperator(sql, { action: 'organisation.exported', kind: 'organisation', id: organisation }),
    );
    const files = await exportOrganisation({ data, organisationId: organisation, guard, database, to });
    say(`${String(files.reduce((sum, { rows }) => sum + rows, 0))} rows in ${String(files.length)} files in ${to}`);
    say('It holds personal data in clear: hand it over sealed, and delete it here.');
    return 0;
  } finally {
    await data.close();
  }
}

/** Keys first: from then on nothing new begins, whatever fails after; the command can be given again. */
async function erase({ config, database, organisation, yes }: Command): Promise<number> {
  if (!yes) {
    say(`This erases everything of ${organisation} but its record, and destroys its keys, for ever.`);
    say('Say --yes if that is what you want.');
    return 2;
  }
  const versions = await eraseKeys(database, organisation, operatorAccount());
  say(`${String(versions)} versions of its key are destroyed`);
  await leaveTemporal(config, database, organisation);
  const data = await openOrganisationData(ownerUrl(config), organisation);
  const counts = await data.erase().finally(() => data.close());
  say(`${String(Object.values(counts).reduce((sum, count) => sum + count, 0))} rows are erased`);
  say('Its record is left, names nobody, and verifies as before. Let backups that were made before expire.');
  return 0;
}

async function leaveTemporal(config: Config, database: Database, organisation: string): Promise<void> {
  const address = config.temporalAddress ?? `127.0.0.1:${String(config.temporalPort)}`;
  const { connection, client } = await connectTemporal({ address, namespace: config.temporalNamespace });
  try {
    const schedules = await database.inOrganisation(organisation, listRecipeSchedules);
    for (const schedule of schedules)
      await removeRecipeSchedule(client, { ...schedule, organisation_id: organisation }, config.temporalTaskQueue);
    say(`${String(schedules.length)} schedules are removed`);
    say(`${String(await endWorkflowsOf(client, organisation))} open workflows are ended`);
  } finally {
    await connection.close();
  }
}

/** Only the owner of the tables may delete what the application may not. */
function ownerUrl({ databaseOwnerUrl, databaseUrl, dataDir, postgresPort }: Config): string {
  if (databaseOwnerUrl !== undefined) return databaseOwnerUrl;
  if (databaseUrl !== undefined)
    throw new Error('Set SWITCHBOARD_DATABASE_OWNER_URL: the application role may neither read nor erase everything.');
  const { owner } = readCredentials(dataDir);
  return `postgres://${OWNER_ROLE}:${owner}@127.0.0.1:${String(postgresPort)}/${DATABASE}`;
}
