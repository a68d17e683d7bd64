import type { Configuration } from 'oidc-provider';
import { errors } from 'oidc-provider';

import type { Account, ServiceClient } from './accounts.ts';
import { escaped, page } from './pages.ts';
import type { Secrets } from './secrets.ts';
import { adapterFor } from './store.ts';
import type { Store } from './store.ts';

/** What the development provider is made of. */
export interface ProviderOptions {
  readonly accounts: readonly Account[];
  readonly clients: readonly ServiceClient[];
  readonly secrets: Secrets;
  readonly store: Store;
  /** Audiences that access tokens are issued for; the first where a client names none. */
  readonly audiences: readonly [string, ...string[]];
  /** Addresses of the API, to which the browser comes back. */
  readonly apiUrls: readonly string[];
  /** Life of access tokens in seconds, default ten minutes. */
  readonly accessTokenSeconds?: number;
}

const SCOPE = 'switchboard:read switchboard:write';
export const WEB = 'switchboard-web';
export const DESKTOP = 'switchboard-cli';
/** Its tokens are the person (`login --person`), so the person is asked each time: it is none of our own below. */
export const PERSON = 'switchboard-person';
/** Clients that were registered here; others, which registered themselves, need the person's consent. */
const isOwn = (clientId: string): boolean => clientId === WEB || clientId === DESKTOP;
const DAY_S = 86_400;

/** The configuration of oidc-provider: authorization code with PKCE, refresh, device flow, client credentials. */
export function configurationOf(options: ProviderOptions): Configuration {
  const { accounts, secrets, store, accessTokenSeconds = 600 } = options;
  const claimsOf = (subject: string) => {
    const account = accounts.find((one) => one.subject === subject);
    if (!account) return undefined;
    const { email, emailVerified, name, claims = {} } = account;
    return { sub: subject, email, email_verified: emailVerified, name, ...claims };
  };
  const extra = [...new Set(accounts.flatMap(({ claims = {} }) => Object.keys(claims)))];
  return {
    adapter: adapterFor(store),
    jwks: { keys: [secrets.key] },
    cookies: { keys: [secrets.cookie_key] },
    clients: clientsOf(options),
    scopes: ['openid', 'offline_access', 'email', 'profile', ...SCOPE.split(' ')],
    claims: { openid: ['sub', 'sid', ...extra], email: ['email', 'email_verified'], profile: ['name'] },
    // The claims are in the id token too, as clients of most providers expect.
    conformIdTokenClaims: false,
    pkce: { required: () => true },
    rotateRefreshToken: true,
    issueRefreshToken: (_ctx, client) => Promise.resolve(client.grantTypeAllowed('refresh_token')),
    ttl: {
      AccessToken: accessTokenSeconds,
      ClientCredentials: accessTokenSeconds,
      IdToken: 600,
      RefreshToken: 14 * DAY_S,
      Session: 14 * DAY_S,
      Grant: 14 * DAY_S,
      Interaction: 3600,
      DeviceCode: 600,
    },
    findAccount: (_ctx, subject) => {
      const claims = claimsOf(subject);
      return claims && { accountId: subject, claims: () => Promise.resolve(claims) };
    },
    extraTokenClaims: (_ctx, token) => ('accountId' in token ? claimsOf(token.accountId) : undefined),
    interactions: { url: (_ctx, interaction) => `/interaction/${interaction.uid}` },
    loadExistingGrant: existingGrant(options),
    renderError: (ctx, { error, error_description: description }) => {
      ctx.type = 'html';
      const what = escaped(`${error}${description === undefined ? '' : `: ${description}`}`);
      ctx.body = page('This did not work', `<p>${what}</p>`);
    },
    features: featuresOf(options),
  };
}

function clientsOf({ clients, apiUrls }: ProviderOptions): NonNullable<Configuration['clients']> {
  return [
    {
      client_id: WEB,
      client_name: 'Switchboard',
      token_endpoint_auth_method: 'none',
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      redirect_uris: apiUrls.map((url) => `${url}/auth/callback`),
      post_logout_redirect_uris: apiUrls.map((url) => `${url}/`),
    },
    {
      client_id: DESKTOP,
      client_name: 'Switchboard on your desktop',
      token_endpoint_auth_method: 'none',
      grant_types: ['urn:ietf:params:oauth:grant-type:device_code', 'refresh_token'],
      response_types: [],
      redirect_uris: [],
    },
    {
      client_id: PERSON,
      client_name: 'Switchboard on this machine, as yourself',
      // Native: any port of the loopback address, and consent each time (RFC 8252, sections 7.3 and 8.6).
      application_type: 'native',
      token_endpoint_auth_method: 'none',
      grant_types: ['authorization_code'],
      response_types: ['code'],
      redirect_uris: ['http://127.0.0.1/callback'],
    },
    ...clients.map(({ id, secret }) => ({
      client_id: id,
      client_secret: secret,
      token_endpoint_auth_method: 'client_secret_basic' as const,
      grant_types: ['client_credentials'],
      response_types: [],
      redirect_uris: [],
    })),
  ];
}

/** Our own clients ask nobody for consent: their rights are the directory's to give. */
const existingGrant =
  ({ audiences }: ProviderOptions): NonNullable<Configuration['loadExistingGrant']> =>
  async (ctx) => {
    const { client, session, provider, result } = ctx.oidc;
    const clientId = client?.clientId ?? '';
    const known = result?.consent?.grantId ?? session?.grantIdFor(clientId);
    if (!isOwn(clientId) || session?.accountId === undefined)
      return known === undefined ? undefined : provider.Grant.find(known);
    const grant =
      (known === undefined ? undefined : await provider.Grant.find(known)) ??
      new provider.Grant({ clientId, accountId: session.accountId });
    grant.addOIDCScope(`openid email profile offline_access ${SCOPE}`);
    for (const audience of audiences) grant.addResourceScope(audience, SCOPE);
    await grant.save();
    return grant;
  };

function featuresOf(options: ProviderOptions): NonNullable<Configuration['features']> {
  const { audiences, accessTokenSeconds = 600 } = options;
  return {
    devInteractions: { enabled: false },
    clientCredentials: { enabled: true },
    revocation: {
      enabled: true,
      // A public client proves nothing by its id; whoever holds a token may end it.
      allowedPolicy: (_ctx, client, token) => Promise.resolve(token.clientId === client.clientId),
    },
    userinfo: { enabled: true },
    // Clients of MCP register themselves (RFC 7591); they act for whoever allows it, and never as a person.
    registration: { enabled: true },
    rpInitiatedLogout: {
      enabled: true,
      logoutSource: (ctx, form) => {
        ctx.body = page(
          'Sign out',
          `${form}<button type="submit" form="op.logoutForm" value="yes" name="logout">Sign out everywhere</button>
<button type="submit" form="op.logoutForm">Stay signed in</button>`,
        );
      },
      postLogoutSuccessSource: (ctx) => {
        ctx.body = page('Signed out', '<p>You are signed out.</p>');
      },
    },
    deviceFlow: devicePages(),
    resourceIndicators: {
      enabled: true,
      // Without a resource the browser's tokens are for the provider itself: the session is what counts.
      defaultResource: (_ctx, client) => (client.clientId === WEB ? [] : audiences[0]),
      useGrantedResource: () => true,
      getResourceServerInfo: (_ctx, audience) => {
        if (!audiences.includes(audience)) throw new errors.InvalidTarget();
        return {
          scope: SCOPE,
          audience,
          accessTokenTTL: accessTokenSeconds,
          accessTokenFormat: 'jwt',
          jwt: { sign: { alg: 'RS256' } },
        };
      },
    },
  };
}

function devicePages(): NonNullable<NonNullable<Configuration['features']>['deviceFlow']> {
  return {
    enabled: true,
    userCodeInputSource: (ctx, form, _out, error) => {
      const fault = error ? '<p class="fault" role="alert">This code is not known, or has ended.</p>' : '';
      ctx.body = page(
        'Connect a device',
        `${fault}<p>Enter the code that your device shows.</p>${form}<button type="submit" form="op.deviceInputForm">Continue</button>`,
      );
    },
    userCodeConfirmSource: (ctx, form, client, _device, userCode) => {
      ctx.body = page(
        'Connect a device',
        `<p><strong>${escaped(client.clientName ?? client.clientId)}</strong> asks to act for you. Go on only if it shows</p>
<p><code>${escaped(userCode)}</code></p>${form}
<button type="submit" form="op.deviceConfirmForm">Continue</button>
<button type="submit" form="op.deviceConfirmForm" value="yes" name="abort">Refuse</button>`,
      );
    },
    successSource: (ctx) => {
      ctx.body = page('Connected', '<p>Your device is signed in. This page can be closed.</p>');
    },
  };
}
