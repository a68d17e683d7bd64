import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';

import { saveAgentClient } from '../db/agent-clients.ts';
import { organisationIds } from '../db/deliveries.ts';
import { listAgents } from '../db/directory.ts';
import { openDatabase } from '../db/pool.ts';
import type { Database } from '../db/pool.ts';
import { addOrganisation, listPrincipals, setKey } from '../db/seed.ts';
import type { Named } from '../db/seed.ts';
import { demoOrganisation } from '../directory/demo-organisation.ts';
import type { DemoOrganisation } from '../directory/demo-organisation.ts';
import { loadProfiles } from '../directory/profiles.ts';
import { newApiKey } from '../platform/api-key.ts';
import { newId } from '../platform/ids.ts';

/** One line of the file of development keys. */
export interface DevelopmentKey extends Named {
  readonly key: string;
}
/** The file of development keys: whoever can read it is everybody in it. */
export interface KeysFile {
  readonly organisation_id: string;
  readonly keys: readonly DevelopmentKey[];
}

/** Reads the development keys; undefined where there are none yet. */
export function readKeys(file: string): KeysFile | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as KeysFile;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Somebody of the file by name; throws where there is nobody of that name. */
export function developmentKey({ keys }: KeysFile, name: string): DevelopmentKey {
  const found = keys.find((one) => one.name === name);
  if (!found) throw new Error(`Nobody is called ${name}.`);
  return found;
}

function writeKeys(file: string, keys: KeysFile): void {
  mkdirSync(path.dirname(file), { recursive: true });
  // Written aside and renamed: a stop in between leaves the old file, never half a file.
  writeFileSync(`${file}.new`, `${JSON.stringify(keys, null, 2)}\n`, { mode: 0o600 });
  renameSync(`${file}.new`, file);
}

function withIds(demo: DemoOrganisation): Parameters<typeof addOrganisation>[1] {
  const ids = new Map(demo.people.map((person) => [person.user_id, newId('user')]));
  const people = demo.people.map((person) => ({
    id: ids.get(person.user_id) ?? '',
    external_id: person.user_id,
    name: person.name,
    email: person.email,
    role: person.role,
    department: person.department,
    title: person.title,
    manager_id: person.reports_to_id === null ? null : (ids.get(person.reports_to_id) ?? null),
    administrator: person.administrator,
  }));
  const agents = demo.agents.map((agent) => ({ ...agent, id: newId('agent') }));
  return { id: newId('organisation'), name: demo.name, people, agents };
}

/** Gives a key to everybody who has none in the file; keys whose secret was lost are replaced. */
async function completeKeys(
  database: Database,
  organisation_id: string,
  present: readonly DevelopmentKey[],
): Promise<DevelopmentKey[]> {
  return database.transaction(organisation_id, async (sql) => {
    const keys: DevelopmentKey[] = [];
    for (const who of await listPrincipals(sql)) {
      const known = present.find((one) => one.id === who.id);
      const made = known ? undefined : newApiKey();
      if (made) await setKey(sql, who, made.keyId, made.hash);
      keys.push({ ...who, key: known?.key ?? made?.key ?? '' });
    }
    return keys;
  });
}

/** Adds an invented organisation with its people and agents. */
export async function seedOrganisation(database: Database, profilesFolder: string): Promise<KeysFile> {
  const id = await addDemoOrganisation(database, profilesFolder);
  return { organisation_id: id, keys: await completeKeys(database, id, []) };
}

async function addDemoOrganisation(database: Database, profilesFolder: string): Promise<string> {
  const organisation = withIds(demoOrganisation(profilesFolder, loadProfiles(profilesFolder)));
  await database.transaction(organisation.id, (sql) => addOrganisation(sql, organisation));
  return organisation.id;
}

/** Lets every agent that acts for nobody else sign in with the client of its name (client credentials). */
export const registerAgents = (database: Database, organisationId: string, issuer: string): Promise<void> =>
  database.transaction(organisationId, async (sql) => {
    for (const { id, name, acts_for } of await listAgents(sql))
      if (acts_for === null) await saveAgentClient(sql, issuer, { client_id: name, agent_id: id });
  });

/** Fills an empty database with the demo organisation, with everybody's key where keys are on; a second call changes nothing. */
export async function seedDevelopment({
  databaseUrl,
  keysFile,
  staticKeys,
  oidcIssuer,
}: {
  readonly databaseUrl: string;
  readonly keysFile: string;
  /** Whether everybody gets a key; else they sign in at the provider. */
  readonly staticKeys: boolean;
  /** Where agents of departments have a client each. */
  readonly oidcIssuer?: string | undefined;
}): Promise<void> {
  const database = openDatabase({ url: databaseUrl, max: 2 });
  try {
    const profilesFolder = path.resolve(import.meta.dirname, '../profiles');
    const [existing] = await database.unscoped(organisationIds);
    const organisationId = existing ?? (await addDemoOrganisation(database, profilesFolder));
    if (oidcIssuer !== undefined) await registerAgents(database, organisationId, oidcIssuer);
    if (!staticKeys) return;
    const present = existing === undefined ? [] : (readKeys(keysFile)?.keys ?? []);
    const keys = await completeKeys(database, organisationId, present);
    writeKeys(keysFile, { organisation_id: organisationId, keys });
  } finally {
    await database.close();
  }
}
