import { randomBytes } from 'node:crypto';

import type { KeycloakAdmin } from './keycloak-admin.ts';
import type { Installation, ProviderUnderTest, TestPerson } from './provider.ts';

/** What a realm is made from. */
export interface RealmOptions {
  readonly realm: string;
  readonly clients: ProviderUnderTest['clients'];
  readonly scopes: { readonly api: string; readonly mcp: string };
  readonly installation: Installation;
}

/** Made up for this run. */
export interface RealmSecrets {
  /** By e-mail. */
  readonly passwords: ReadonlyMap<string, string>;
  /** By client id. */
  readonly clients: ReadonlyMap<string, string>;
}

const mapper = (name: string, protocolMapper: string, config: Readonly<Record<string, string>>) => ({
  name,
  protocol: 'openid-connect',
  protocolMapper,
  config: { 'access.token.claim': 'true', ...config },
});
const audience = (name: string) => mapper(name, 'oidc-audience-mapper', { 'included.custom.audience': name });
const claim = (name: string, value: string, type = 'String') =>
  mapper(name, 'oidc-hardcoded-claim-mapper', {
    'claim.name': name,
    'claim.value': value,
    'jsonType.label': type,
    'id.token.claim': 'true',
  });
const scope = (name: string, protocolMappers: readonly object[]) => ({
  name,
  protocol: 'openid-connect',
  attributes: { 'include.in.token.scope': 'true' },
  protocolMappers,
});

/** Makes the realm with the scopes, clients and people of an installation, as docs/identity.md tells administrators. */
export async function fillRealm(admin: KeycloakAdmin, options: RealmOptions): Promise<RealmSecrets> {
  const { realm, installation } = options;
  const passwords = new Map(installation.people.map(({ email }) => [email, randomBytes(12).toString('hex')]));
  await admin.create('', {
    realm,
    enabled: true,
    accessTokenLifespan: 600,
    sslRequired: 'none',
    users: installation.people.map((person) => userOf(person, passwords.get(person.email) ?? '')),
  });
  const claims = Object.entries(installation.people[0]?.claims ?? {}).map(([name, value]) =>
    typeof value === 'boolean'
      ? claim(name, String(value), 'boolean')
      : claim(
          name,
          typeof value === 'string' ? value : JSON.stringify(value),
          typeof value === 'string' ? 'String' : 'JSON',
        ),
  );
  const scopes = [
    scope('switchboard:read', []),
    scope('switchboard:write', []),
    scope(options.scopes.api, [audience(installation.audience)]),
    scope(options.scopes.mcp, [audience(installation.mcpAudience)]),
  ];
  for (const one of scopes)
    await admin.put(`/${realm}/default-optional-client-scopes/${await admin.create(`/${realm}/client-scopes`, one)}`);
  const about = await admin.create(`/${realm}/client-scopes`, scope('about', claims));
  await admin.put(`/${realm}/default-default-client-scopes/${about}`);
  return { passwords, clients: await addClients(admin, options) };
}

function userOf({ name, email, emailVerified = true }: TestPerson, password: string): object {
  const [firstName = name, lastName = name] = name.split(' ');
  const credentials = [{ type: 'password', value: password, temporary: false }];
  return {
    username: email,
    email,
    emailVerified,
    firstName,
    lastName,
    enabled: true,
    credentials,
    realmRoles: ['default-roles-switchboard'],
  };
}

async function addClients(
  admin: KeycloakAdmin,
  { realm, clients, installation }: RealmOptions,
): Promise<Map<string, string>> {
  const path = `/${realm}/clients`;
  await admin.create(path, {
    clientId: clients.web,
    publicClient: true,
    redirectUris: [`${installation.apiUrl}/auth/callback`],
    attributes: { 'pkce.code.challenge.method': 'S256', 'post.logout.redirect.uris': `${installation.apiUrl}/` },
  });
  await admin.create(path, {
    clientId: clients.desktop,
    publicClient: true,
    standardFlowEnabled: false,
    attributes: { 'oauth2.device.authorization.grant.enabled': 'true' },
  });
  const secrets = new Map<string, string>();
  for (const clientId of installation.services) {
    const secret = randomBytes(24).toString('hex');
    secrets.set(clientId, secret);
    await admin.create(path, { clientId, secret, serviceAccountsEnabled: true, standardFlowEnabled: false });
  }
  return secrets;
}
