import { importJWK, SignJWT } from 'jose';

import type { Role } from '../contracts/principal.ts';
import { BUNDLE_ALGORITHM, BUNDLE_TYPE } from '../platform/profile-bundle.ts';
import { BUNDLE_VALID_S, signingBundleKey } from './bundle-keys.ts';
import type { PublishedProfile } from './organisation-profiles.ts';

/** Signs a profile for the agents of a role: a compact JWS that says whose it is, which version, and for how long. */
export async function signBundle(
  keysFile: string,
  { organisation, role, published }: { organisation: string; role: Role; published: PublishedProfile },
  now = Date.now(),
): Promise<string> {
  const { d, ...jwk } = signingBundleKey(keysFile, now);
  const iat = Math.floor(now / 1000);
  const { version, digest, profile } = published;
  return new SignJWT({ organisation, role, version, digest, profile })
    .setProtectedHeader({ alg: BUNDLE_ALGORITHM, typ: BUNDLE_TYPE, kid: jwk.kid })
    .setIssuer('switchboard')
    .setIssuedAt(iat)
    .setExpirationTime(iat + BUNDLE_VALID_S)
    .sign(await importJWK({ kty: jwk.kty, crv: jwk.crv, x: jwk.x, d }, BUNDLE_ALGORITHM));
}
