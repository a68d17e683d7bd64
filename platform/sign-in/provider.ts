import * as client from 'openid-client';

import { isTrustworthy } from '../tokens/fetch-json.ts';

/** A client of an identity provider. */
export interface ClientIdentity {
  readonly issuer: string;
  readonly clientId: string;
  /** Absent for public clients. */
  readonly clientSecret?: string | undefined;
}

const SKEW_S = 60;

/** Discovers an identity provider for a client; over https, or on this machine in development. */
export async function discoverProvider(identity: ClientIdentity): Promise<client.Configuration> {
  const { issuer, clientId, clientSecret } = identity;
  if (!isTrustworthy(issuer)) throw new Error(`${issuer} is neither https nor this machine.`);
  const local = new URL(issuer).protocol === 'http:';
  return client.discovery(
    new URL(issuer),
    clientId,
    { [client.clockTolerance]: SKEW_S },
    clientSecret === undefined ? client.None() : client.ClientSecretBasic(clientSecret),
    // eslint-disable-next-line @typescript-eslint/no-deprecated -- deprecated to stand out: this is the development provider.
    local ? { execute: [client.allowInsecureRequests] } : {},
  );
}
