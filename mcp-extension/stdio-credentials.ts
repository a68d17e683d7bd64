import { randomUUID } from 'node:crypto';

import type { Config } from '../platform/config.ts';
import type { Logger } from '../platform/log.ts';
import { loginTokens, SCOPES, scopesWith, serviceTokens } from '../platform/sign-in/client.ts';
import { loginFile } from '../platform/sign-in/login-file.ts';
import { asTheyAre } from './credentials.ts';
import type { Credentials } from './credentials.ts';

/** As whom the extension calls the API over stdio. */
export interface StdioCredentials {
  /** Seals what the client carries between rounds; the API key where there is one. */
  readonly key: string;
  readonly credentials: Credentials;
  /** Whether somebody may sign in later, so that a refusal is not the end. */
  readonly mayChange: boolean;
}

/** An API key where one is set, else a client that signs in for itself, else whoever ran `login`. */
export function stdioCredentials(config: Config, log: Pick<Logger, 'warn'>): StdioCredentials {
  const { apiKey, apiUrl, clientId, clientSecret, oidcIssuer: issuer, oidcAudience: audience } = config;
  if (apiKey !== undefined) return { key: apiKey, credentials: asTheyAre, mayChange: false };
  const onFailure = (error: unknown): void =>
    log.warn({ because: error instanceof Error ? error.message : String(error) }, 'the access token was not renewed');
  const scope = scopesWith(SCOPES.service, config.oidcExtraScopes);
  const service = clientId !== undefined && clientSecret !== undefined;
  const tokens = service
    ? serviceTokens({ clientId, clientSecret }, { apiUrl, issuer, audience, scope }, onFailure)
    : loginTokens(loginFile(), apiUrl, onFailure);
  tokens.token().catch((error: unknown) => {
    log.warn(error instanceof Error ? error.message : String(error));
  });
  return { key: randomUUID(), credentials: () => tokens.token(), mayChange: true };
}
