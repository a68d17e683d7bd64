import { decodeProtectedHeader, errors, importJWK, jwtVerify } from 'jose';
import type { JWTPayload, ProtectedHeaderParameters } from 'jose';
import { z } from 'zod';

import { Role } from '../contracts/principal.ts';
import { digestOf } from './digest.ts';

/** The `typ` of a profile bundle: no other token that the same key may ever sign passes for one (RFC 8725, 3.11). */
export const BUNDLE_TYPE = 'switchboard-profile+jwt';
/** The only algorithm: what a header says is compared with it, never followed (RFC 8725, 3.1). */
export const BUNDLE_ALGORITHM = 'EdDSA';
const SKEW_S = 60;
/** A profile is some kilobytes; nobody has to parse megabytes to find a signature wrong. */
const MOST_BYTES = 512 * 1024;

/** What a bundle says, once it is verified. */
const Claims = z.object({
  iss: z.literal('switchboard'),
  organisation: z.string().min(1),
  role: Role,
  version: z.number().int().min(1),
  digest: z.string().regex(/^sha256:[0-9a-f]{64}$/),
  iat: z.number(),
  exp: z.number(),
  profile: z.record(z.string(), z.unknown()),
});
export type ProfileBundle = z.infer<typeof Claims>;

/** Public keys, as GET /profiles/keys answers them. */
export const BundleKeys = z.object({
  keys: z.array(
    z.looseObject({ kid: z.string(), kty: z.string(), crv: z.string().optional(), x: z.string().optional() }),
  ),
});
export interface BundleKeys {
  readonly keys: readonly {
    readonly kid: string;
    readonly kty: string;
    readonly crv?: string | undefined;
    readonly x?: string | undefined;
  }[];
}

export type BundleFault =
  | 'malformed'
  | 'wrong_algorithm'
  | 'unknown_key'
  | 'bad_signature'
  | 'expired'
  | 'not_yet_valid'
  | 'wrong_organisation'
  | 'wrong_role'
  | 'older_version'
  | 'wrong_digest';

/** A bundle that must not be used, and why. */
export class ProfileBundleError extends Error {
  readonly code: BundleFault;

  constructor(code: BundleFault, message: string) {
    super(message);
    this.name = 'ProfileBundleError';
    this.code = code;
  }
}

/** What the client expects of a bundle. */
export interface BundleExpectations {
  /** The version that was taken last: an older one is refused, so that nobody brings back what was replaced. */
  readonly lastVersion?: number;
  readonly organisation?: string;
  readonly role?: string;
  /** Now, for tests. */
  readonly now?: Date;
}

/** Verifies a signed profile (compact JWS) against public keys; throws ProfileBundleError unless everything holds. */
export async function verifyProfileBundle(
  jws: string,
  keys: BundleKeys,
  { lastVersion = 0, organisation, role, now = new Date() }: BundleExpectations = {},
): Promise<ProfileBundle> {
  const key = await importJWK(keyOf(headerOf(jws), keys), BUNDLE_ALGORITHM);
  const options = {
    algorithms: [BUNDLE_ALGORITHM],
    typ: BUNDLE_TYPE,
    clockTolerance: SKEW_S,
    currentDate: now,
    requiredClaims: ['iat', 'exp'],
  };
  const payload = await jwtVerify(jws, key, options).then(({ payload: claims }) => claims, refuse);
  const bundle = claimsOf(payload);
  const fault = expectationFault(bundle, { lastVersion, organisation, role, now });
  if (fault) throw fault;
  return bundle;
}

function headerOf(jws: string): ProtectedHeaderParameters {
  try {
    if (jws.length <= MOST_BYTES) return decodeProtectedHeader(jws);
  } catch {
    // Told below: it is no JWS.
  }
  throw new ProfileBundleError('malformed', 'The bundle is no compact JWS.');
}

function keyOf({ alg, typ, kid }: ProtectedHeaderParameters, { keys }: BundleKeys) {
  if (alg !== BUNDLE_ALGORITHM || typ !== BUNDLE_TYPE)
    throw new ProfileBundleError(
      'wrong_algorithm',
      `The bundle says alg ${String(alg)} and typ ${String(typ)}; only ${BUNDLE_ALGORITHM} and ${BUNDLE_TYPE} are taken.`,
    );
  const key = keys.find((one) => one.kid === kid && one.kty === 'OKP' && one.crv === 'Ed25519');
  if (kid !== undefined && key?.x !== undefined) return { kty: 'OKP', crv: 'Ed25519', x: key.x };
  throw new ProfileBundleError('unknown_key', `The bundle is signed with key ${String(kid)}, which is not known.`);
}

function refuse(error: unknown): never {
  if (error instanceof errors.JWTExpired)
    throw new ProfileBundleError('expired', 'The bundle has expired: fetch it again.');
  if (error instanceof errors.JWSSignatureVerificationFailed)
    throw new ProfileBundleError('bad_signature', 'The signature does not fit: the bundle was changed.');
  const told = error instanceof Error ? error.message : String(error);
  throw new ProfileBundleError('malformed', `The bundle cannot be used: ${told}.`);
}

function claimsOf(payload: JWTPayload): ProfileBundle {
  const parsed = Claims.safeParse(payload);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new ProfileBundleError('malformed', `${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'is not valid'}`);
}

function expectationFault(
  bundle: ProfileBundle,
  wanted: { lastVersion: number; organisation: string | undefined; role: string | undefined; now: Date },
): ProfileBundleError | undefined {
  const { organisation, role, version, digest, iat, profile } = bundle;
  const fault = (code: BundleFault, message: string) => new ProfileBundleError(code, message);
  if (iat > wanted.now.getTime() / 1000 + SKEW_S) return fault('not_yet_valid', 'The bundle was signed in the future.');
  if (wanted.organisation !== undefined && organisation !== wanted.organisation)
    return fault('wrong_organisation', `The bundle is of ${organisation}, not of ${wanted.organisation}.`);
  if (wanted.role !== undefined && role !== wanted.role)
    return fault('wrong_role', `The bundle is for ${role}, not for ${wanted.role}.`);
  if (profile['role'] !== role) return fault('wrong_role', `The bundle is for ${role}, but its profile is not.`);
  if (version < wanted.lastVersion)
    return fault(
      'older_version',
      `The bundle is version ${String(version)}; version ${String(wanted.lastVersion)} was there.`,
    );
  if (digestOf(profile) !== digest) return fault('wrong_digest', 'The profile is not the one that the digest names.');
  return undefined;
}
