import { listDirectory, whoAmI } from '../../contracts/agents.ts';
import type { Operation } from '../../contracts/operation.ts';
import { developmentKey } from '../seed.ts';
import type { KeysFile, DevelopmentKey } from '../seed.ts';
import type { Passwords } from './passwords.ts';
import { SCOPES, serviceTokens } from '../../platform/sign-in/client.ts';
import type { RefreshingToken } from '../../platform/sign-in/refreshing-token.ts';
import { personTokens } from './sign-in.ts';
import type { SignInPlace } from './sign-in.ts';

/** Somebody of the organisation, and how they get in. */
export interface Member extends Omit<DevelopmentKey, 'key'> {
  /** What stands behind `Bearer`, valid now; agents may ask for it for the MCP server instead of the API. */
  token(audience?: string): Promise<string>;
  /** With which an extension process of theirs signs in by itself. */
  readonly env: Readonly<Record<string, string>>;
}

/** Everybody of the organisation. */
export interface Members {
  readonly organisationId: string;
  /** Throws where there is nobody of that name. */
  find(name: string): Member;
}

/** Members who have development keys. */
export const membersWithKeys = (keys: KeysFile): Members => ({
  organisationId: keys.organisation_id,
  find: (name) => {
    const { key, ...member } = developmentKey(keys, name);
    return { ...member, token: () => Promise.resolve(key), env: { SWITCHBOARD_API_KEY: key } };
  },
});

/** Members who sign in at the development provider: people as a browser does, agents as clients. */
export async function membersWhoSignIn(
  place: SignInPlace,
  passwords: Passwords,
  administrator: string,
): Promise<Members> {
  const people = new Map(passwords.people.map((person) => [person.name, personTokens(place, person)]));
  const services = new Map<string, RefreshingToken>();
  const first = people.get(administrator);
  if (!first) throw new Error(`${administrator} has no account at ${place.issuer}.`);
  const ask = <T>(operation: Operation): Promise<T> => get<T>(place.apiUrl, operation.path, () => first.token());
  const { organisation_id: organisationId } = await ask<{ organisation_id: string }>(whoAmI);
  const { users, agents } =
    await ask<Record<'users' | 'agents', Omit<DevelopmentKey, 'key' | 'kind'>[]>>(listDirectory);
  const named = new Map<string, Omit<Member, 'token' | 'env'>>([
    ...users.map((one) => [one.name, { ...one, kind: 'user' as const }] as const),
    ...agents.map((one) => [one.name, { ...one, kind: 'agent' as const }] as const),
  ]);
  return {
    organisationId,
    find: (name) => {
      const member = named.get(name);
      if (!member) throw new Error(`Nobody is called ${name}.`);
      const token = (audience = place.audience): Promise<string> => {
        const key = `${name} ${audience}`;
        const source = people.get(name) ?? services.get(key) ?? clientTokens({ ...place, audience }, passwords, name);
        if (!people.has(name)) services.set(key, source);
        return source.token();
      };
      return { ...member, token, env: clientEnv(place, passwords, name) };
    },
  };
}

/** Tokens of an agent that signs in for itself (client credentials). */
function clientTokens(place: SignInPlace, { clients }: Passwords, name: string): RefreshingToken {
  const found = clients.find(({ id }) => id === name);
  if (!found) throw new Error(`${name} can not sign in at ${place.issuer}.`);
  return serviceTokens({ clientId: found.id, clientSecret: found.secret }, { ...place, scope: SCOPES.service });
}

function clientEnv({ issuer, audience }: SignInPlace, { clients }: Passwords, name: string): Record<string, string> {
  const found = clients.find(({ id }) => id === name);
  return {
    SWITCHBOARD_OIDC_ISSUER: issuer,
    SWITCHBOARD_OIDC_AUDIENCE: audience,
    ...(found && { SWITCHBOARD_CLIENT_ID: found.id, SWITCHBOARD_CLIENT_SECRET: found.secret }),
  };
}

async function get<T>(apiUrl: string, path: string, token: () => Promise<string>): Promise<T> {
  const answer = await fetch(apiUrl + path, { headers: { authorization: `Bearer ${await token()}` } });
  if (!answer.ok) throw new Error(`${path} answered ${String(answer.status)}: ${await answer.text()}`);
  return (await answer.json()) as T;
}
