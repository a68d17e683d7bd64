import type { Config } from '../../platform/config.ts';

/** How callers are known; see docs/identity.md. */
export interface IdentitySettings {
  /** The OpenID provider; absent where only development keys are used. */
  readonly issuer: string | undefined;
  /** The issuer of tokens that Switchboard makes itself: its public address. */
  readonly publicUrl: string;
  readonly audience: string;
  readonly mcpAudience: string;
  readonly clientId: string;
  readonly clientSecret: string | undefined;
  readonly peopleClients: readonly string[];
  readonly exchangeClients: readonly string[];
  /** Scopes that the browser's sign-in asks for in addition. */
  readonly extraScopes: readonly string[];
  readonly organisationClaim: string;
  readonly maxTokenSeconds: number;
  readonly requireScopes: boolean;
  readonly sessionIdleMinutes: number;
  readonly sessionHours: number;
  readonly staticKeys: boolean;
  /** Proxies whose word on the address of a client is believed. */
  readonly trustedProxies: string | undefined;
}

/** The settings of identity that the environment gives. */
export const identitySettings = (config: Config): IdentitySettings => ({
  issuer: config.oidcIssuer,
  publicUrl: config.publicUrl.replace(/\/$/, ''),
  audience: config.oidcAudience,
  mcpAudience: config.oidcMcpAudience,
  clientId: config.oidcClientId,
  clientSecret: config.oidcClientSecret,
  peopleClients: config.oidcPeopleClients ?? [config.oidcClientId],
  exchangeClients: config.oidcExchangeClients,
  extraScopes: config.oidcExtraScopes,
  organisationClaim: config.oidcOrganisationClaim,
  maxTokenSeconds: config.oidcMaxTokenSeconds,
  requireScopes: config.oidcRequireScopes,
  sessionIdleMinutes: config.sessionIdleMinutes,
  sessionHours: config.sessionHours,
  staticKeys: config.staticKeys,
  trustedProxies: config.trustedProxies,
});
