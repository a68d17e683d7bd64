import type { Role } from '../../contracts/principal.ts';
import type { PublishedProfile } from '../../directory/organisation-profiles.ts';
import { announceProfile } from '../../db/profiles.ts';
import type { Call } from '../call.ts';
import type { ApiDeps } from '../deps.ts';
import { requirePermission } from '../permission.ts';
import { notFound } from '../problem.ts';

/** The profile of a role in force, where the caller may read it; its version goes into the ETag. */
export async function publishedProfile(
  deps: ApiDeps,
  call: Call,
  name: Role | 'me',
): Promise<PublishedProfile & { readonly role: Role }> {
  const role = name === 'me' ? (call.principal.profile ?? call.principal.role) : name;
  // One's own may be read whatever role's it is.
  const asked = name === 'me' ? call.principal.role : name;
  await requirePermission(deps, call, 'profile:read', { kind: 'profile', target_role: asked }, role);
  const published = (await deps.profilesOf(call.principal.organisation_id)).published(role);
  if (!published) throw notFound(`The profile of ${role}`);
  call.tag?.(`${String(published.version)}-${published.digest.slice(-16)}`);
  return { role, ...published };
}

/** Tells somebody who signs in for the first time, or got another role, which profile is theirs (DIR-2). */
export async function announceAssigned(
  { database, profilesOf }: ApiDeps,
  { principal: { organisation_id, kind, id, role }, traceId }: Pick<Call, 'principal' | 'traceId'>,
): Promise<void> {
  const published = (await profilesOf(organisation_id)).published(role);
  if (!published) return;
  const { version, digest } = published;
  const audience = [`${kind}:${id}`];
  await database.transaction(organisation_id, (sql) =>
    announceProfile(sql, { type: 'profile.assigned', role, version, digest, audience, traceId }),
  );
}
