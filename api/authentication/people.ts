import type { Principal, Role } from '../../contracts/principal.ts';
import { findClient, ensureUserAgent, findUserAgent, followRole } from '../../db/agent-clients.ts';
import { organisationIds } from '../../db/deliveries.ts';
import { findAgent, findUser } from '../../db/directory.ts';
import type { UserRow } from '../../db/directory.ts';
import { findLinkedUser } from '../../db/identities.ts';
import type { Database } from '../../db/pool.ts';
import type { ProfilesOf } from '../../directory/organisation-profiles.ts';
import type { AccessToken } from '../../platform/tokens/verify.ts';
import { InvalidToken } from './invalid-token.ts';
import { linkByEmail } from './link.ts';
import { serviceOf } from './services.ts';
import type { IdentitySettings } from './settings.ts';

/** What callers are looked up in. */
export interface Directory {
  readonly database: Database;
  readonly profilesOf: ProfilesOf;
  readonly settings: IdentitySettings;
}

type Clearance = Principal['clearance'];

/** Kinds of value that the organisation's profile of a role clears. */
export const clearanceOf = async (
  { profilesOf }: Pick<Directory, 'profilesOf'>,
  organisationId: string,
  role: Role,
): Promise<Clearance> => (await profilesOf(organisationId)).get(role)?.privacy.clearance ?? [];

const inBoth = (one: Clearance, other: Clearance): Clearance => one.filter((kind) => other.includes(kind));

/** The profile that holds for a person and their agents, where it is not that of their role. */
const assignedOf = ({ role, assigned_profile: profile }: UserRow): Pick<Principal, 'profile'> =>
  profile !== null && profile !== role ? { profile } : {};

/** A person, with what the directory says of them. */
export const personOf = async (directory: Directory, organisation_id: string, user: UserRow): Promise<Principal> => ({
  organisation_id,
  kind: 'user',
  id: user.id,
  name: user.name,
  role: user.role,
  acts_for: null,
  administrator: user.administrator,
  ...assignedOf(user),
  clearance: await clearanceOf(directory, organisation_id, user.assigned_profile ?? user.role),
});

/** An agent of its own, with the role that the directory gives it. */
export async function agentOf(directory: Directory, organisation_id: string, agentId: string): Promise<Principal> {
  const agent = await directory.database.inOrganisation(organisation_id, (sql) => findAgent(sql, agentId));
  if (!agent) throw new InvalidToken('subject', 'The agent that the token is of is not there any more.');
  if (agent.acts_for !== null) {
    const user = await activeUser(directory, organisation_id, agent.acts_for);
    return onBehalfOf(directory, { organisation_id, user, agent: { ...agent, role: user.role } });
  }
  return {
    organisation_id,
    kind: 'agent',
    id: agent.id,
    name: agent.name,
    role: agent.role,
    acts_for: null,
    administrator: false,
    clearance: await clearanceOf(directory, organisation_id, agent.role),
  };
}

/**
 * An agent that acts for a person: the person's role, never an administrator, and it sees no kind of value that either
 * of the two may not see.
 */
export const onBehalfOf = async (
  directory: Directory,
  {
    organisation_id,
    user,
    agent,
  }: {
    readonly organisation_id: string;
    readonly user: UserRow;
    readonly agent: { readonly id: string; readonly name: string; readonly role: Role };
  },
): Promise<Principal> => ({
  organisation_id,
  kind: 'agent',
  id: agent.id,
  name: agent.name,
  role: user.role,
  ...assignedOf(user),
  acts_for: user.id,
  administrator: false,
  clearance: inBoth(
    await clearanceOf(directory, organisation_id, user.assigned_profile ?? user.role),
    await clearanceOf(directory, organisation_id, agent.role),
  ),
});

/** A person of the directory who has not left. */
export async function activeUser({ database }: Directory, organisationId: string, userId: string): Promise<UserRow> {
  const user = await database.inOrganisation(organisationId, (sql) => findUser(sql, userId));
  if (!user) throw new InvalidToken('subject', 'Whoever the token is of is not in the directory any more.');
  return user;
}

/** The agent or service that a client is which signs in for itself; undefined where the token is of a person. */
export async function clientAgent(directory: Directory, token: AccessToken): Promise<Principal | undefined> {
  const { issuer, clientId, subject } = token;
  const row = await directory.database.unscoped((sql) => findClient(sql, issuer, clientId));
  const forItself = isForItself(token) || (row?.subject !== null && row?.subject === subject);
  if (!forItself) return undefined;
  if (!row) throw new InvalidToken('subject', 'The client that the token is of is not registered as an agent.');
  requireOrganisation(directory, token, row.organisation_id);
  if (row.agent_id === null) return serviceOf(row.organisation_id, row.service_id);
  return agentOf(directory, row.organisation_id, row.agent_id);
}

/** How providers mark tokens that no person stands behind: the client as subject, or a service account (Keycloak). */
export const isForItself = ({ subject, clientId, claims }: AccessToken): boolean =>
  subject === clientId || claims['preferred_username'] === `service-account-${clientId.toLowerCase()}`;

function requireOrganisation({ settings }: Directory, token: AccessToken, organisationId: string): void {
  const claimed = token.claims[settings.organisationClaim];
  if (claimed !== undefined && claimed !== organisationId)
    throw new InvalidToken('subject', 'The token is of another organisation than its client.');
}

/** The organisation that a token is of: as it says; the only one there is where it says nothing. */
export async function organisationOf({ database, settings }: Directory, claims: Readonly<Record<string, unknown>>) {
  const claimed = claims[settings.organisationClaim];
  const known = await database.unscoped(organisationIds);
  if (claimed === undefined && known.length === 1 && known[0] !== undefined) return known[0];
  if (typeof claimed === 'string' && known.includes(claimed)) return claimed;
  throw new InvalidToken('subject', 'The token names no organisation that is known here.');
}

/** Who a token of a person stands for: the person at their own browser, elsewhere the agent that acts for them. */
export async function personBehind(directory: Directory, token: AccessToken): Promise<Principal> {
  const organisationId = await organisationOf(directory, token.claims);
  const user = await userOf(directory, organisationId, token);
  if (directory.settings.peopleClients.includes(token.clientId)) return personOf(directory, organisationId, user);
  const agent = await personalAgent(directory, organisationId, user, token.clientId);
  return onBehalfOf(directory, { organisation_id: organisationId, user, agent });
}

/** The user that an identity belongs to, linked now where this is the first sign-in. */
export async function userOf(
  directory: Directory,
  organisationId: string,
  identity: Pick<AccessToken, 'issuer' | 'subject' | 'claims'>,
): Promise<UserRow> {
  const { database } = directory;
  const linked = await database.inOrganisation(organisationId, (sql) => findLinkedUser(sql, identity));
  const user = linked ?? (await linkByEmail(database, organisationId, identity));
  if (!user.active) throw new InvalidToken('subject', 'Whoever the token is of is not in the directory any more.');
  return user;
}

async function personalAgent(
  { database }: Directory,
  organisationId: string,
  user: UserRow,
  clientId: string,
): Promise<{ readonly id: string; readonly name: string; readonly role: Role }> {
  const label = clientId === 'switchboard-cli' ? 'desktop' : clientId.slice(0, 60) || 'unnamed client';
  return database.transaction(organisationId, async (sql) => {
    const id = (await findUserAgent(sql, user.id, clientId)) ?? (await ensureUserAgent(sql, user, clientId, label)).id;
    await followRole(sql, id, user.role);
    const agent = await findAgent(sql, id);
    if (!agent) throw new Error(`The agent ${id} of ${user.id} is not there.`);
    return { id, name: agent.name, role: user.role };
  });
}
