import { createHmac } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import path from 'node:path';

import { demoOrganisation, demoPeople } from '../directory/demo-organisation.ts';
import { loadProfiles } from '../directory/profiles.ts';
import { readIfPresent } from '../platform/files.ts';
import type { Secrets } from './secrets.ts';

/** Somebody who can sign in at the development provider. */
export interface Account {
  /** The `sub` of their tokens. */
  readonly subject: string;
  readonly email: string;
  readonly emailVerified: boolean;
  readonly name: string;
  readonly password: string;
  /** Further claims of their tokens. */
  readonly claims?: Readonly<Record<string, string | boolean | readonly string[]>>;
}

/** A client that signs in for itself. */
export interface ServiceClient {
  readonly id: string;
  readonly secret: string;
}

/** Where everybody's password and every client's secret can be read. */
export const passwordsFile = (dataDir: string): string => path.join(dataDir, 'passwords.json');

const profilesFolder = path.resolve(import.meta.dirname, '../profiles');

/** Long and random, the same at each start, and nobody's tells anything about another's. */
const derived = ({ seed }: Secrets, name: string): string =>
  createHmac('sha256', seed).update(name).digest('base64url').slice(0, 20);

/** The secret of a client of the development provider. */
export const clientSecret = (secrets: Secrets, clientId: string): string => derived(secrets, `client:${clientId}`);

/** The people of the demo organisation, and those whom the demonstration imports. */
export const demoAccounts = (secrets: Secrets): Account[] =>
  demoPeople(profilesFolder, 'fifty.csv').map(({ user_id, email, name }) => ({
    subject: user_id,
    email,
    emailVerified: true,
    name,
    password: derived(secrets, `person:${email}`),
  }));

/** A confidential client for each agent of a department, and for the MCP server. */
export const demoClients = (secrets: Secrets): ServiceClient[] =>
  [
    ...demoOrganisation(profilesFolder, loadProfiles(profilesFolder)).agents.map(({ name }) => name),
    'switchboard-mcp',
  ].map((id) => ({ id, secret: clientSecret(secrets, id) }));

/** Writes who can sign in with what, for the developer alone. */
export function writePasswords(file: string, people: readonly Account[], clients: readonly ServiceClient[]): void {
  const text = `${JSON.stringify(
    {
      people: people.map(({ name, email, password }) => ({ name, email, password })),
      clients: clients.map(({ id, secret }) => ({ id, secret })),
    },
    null,
    2,
  )}\n`;
  if (readIfPresent(file) !== text) writeFileSync(file, text, { mode: 0o600 });
}
