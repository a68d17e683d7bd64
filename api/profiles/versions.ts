import { ZodError } from 'zod';
import type { z } from 'zod';

import type { Role } from '../../contracts/principal.ts';
import { listProfileVersions, setProfile } from '../../contracts/profiles.ts';
import type { Queryable } from '../../db/pool.ts';
import { addProfile, announceProfile, lockProfile, profileHistory } from '../../db/profiles.ts';
import type { ProfileVersionRow } from '../../db/profiles.ts';
import { RELEASE_VERSION } from '../../directory/organisation-profiles.ts';
import { Profile } from '../../directory/profile-schema.ts';
import { digestOf } from '../../platform/digest.ts';
import type { Call } from '../call.ts';
import type { ApiDeps } from '../deps.ts';
import { inputError } from '../errors.ts';
import { mount } from '../http.ts';
import type { Mounting } from '../http.ts';
import { requirePermission } from '../permission.ts';
import { ApiError, notFound } from '../problem.ts';
import { recordEvent } from '../record.ts';
import { iso } from '../views.ts';

type Change = z.output<typeof setProfile.input>;

const invalid = (pointer: string, detail: string): ApiError =>
  new ApiError({ code: 'invalid_input', detail: `${pointer}: ${detail}.` }, [{ pointer, detail }]);

/** A profile that was sent, checked as the files of the release are; every fault with its path below `/profile`. */
function sentProfile(role: Role, sent: unknown): Profile {
  const parsed = Profile.safeParse(sent);
  if (!parsed.success) {
    const issues = parsed.error.issues.map((issue) => ({ ...issue, path: ['profile', ...issue.path] }));
    throw inputError(new ZodError(issues));
  }
  if (parsed.data.role !== role) throw invalid('/profile/role', `is ${parsed.data.role}, but the path says ${role}`);
  return parsed.data;
}

/** The content of the next version: what was sent, or an earlier version's. */
function contentOf(
  { profiles }: ApiDeps,
  { role, profile, restore }: Change,
  history: readonly ProfileVersionRow[],
): Profile {
  if ((profile === undefined) === (restore === undefined)) throw invalid('/profile', 'send the profile, or restore, not both');
  if (restore === undefined) return sentProfile(role, profile);
  const release = restore === RELEASE_VERSION ? profiles.get(role) : undefined;
  const earlier = release ?? history.find(({ version }) => version === restore)?.profile;
  if (!earlier) throw notFound(`Version ${String(restore)} of the profile of ${role}`);
  return sentProfile(role, earlier);
}

async function store(deps: ApiDeps, sql: Queryable, call: Call, change: Change, policies: readonly string[]) {
  const { role, dry_run, expected_version, restore = null } = change;
  await lockProfile(sql, role);
  const history = await profileHistory(sql, role);
  const current = history[0]?.version ?? RELEASE_VERSION;
  if (expected_version !== undefined && expected_version !== current)
    throw new ApiError({
      code: 'version_conflict',
      detail: `The profile is at version ${String(current)}, not ${String(expected_version)}.`,
      facts: { version: current },
    });
  const profile = contentOf(deps, change, history);
  const before = history[0]?.digest ?? digestOf(deps.profiles.get(role));
  const digest = digestOf(profile) ?? '';
  const row = { role, version: current + 1, profile, digest, restores: restore, created_by: call.principal.id };
  const made = dry_run ? undefined : await addProfile(sql, row);
  if (made) {
    await recordEvent(sql, call, {
      action: 'profile.changed',
      kind: 'profile',
      id: role,
      policies,
      details: { version: row.version, before, after: digest, restores: restore },
    });
    const audience = [`role:${role}`, 'administrator'];
    await announceProfile(sql, { type: 'profile.changed', role, version: row.version, digest, audience, traceId: call.traceId });
  }
  return made ?? { ...row, created_at: new Date() };
}

const versionView = ({ role, version, digest, restores, created_by, created_at }: ProfileVersionRow) => ({
  role,
  version,
  digest,
  restores,
  created_by,
  created_at: iso(created_at),
});

/** Routes of administrators: an organisation's own versions of role profiles. */
export function mountProfileVersions(mounting: Mounting): void {
  const { deps } = mounting;
  mount(mounting, setProfile, async (change, call) => {
    const resource = { kind: 'profile', target_role: change.role } as const;
    const policies = await requirePermission(deps, call, 'profile:manage', resource, change.role);
    const row = await deps.database.transaction(call.principal.organisation_id, (sql) =>
      store(deps, sql, call, change, policies),
    );
    return { ...versionView(row), dry_run: change.dry_run };
  });
  mount(mounting, listProfileVersions, async ({ role }, call) => {
    await requirePermission(deps, call, 'profile:manage', { kind: 'profile', target_role: role }, role);
    const stored = await deps.database.inOrganisation(call.principal.organisation_id, (sql) => profileHistory(sql, role));
    const release = {
      role,
      version: RELEASE_VERSION,
      digest: digestOf(deps.profiles.get(role)) ?? '',
      restores: null,
      created_by: null,
      created_at: null,
    };
    return { versions: [...stored.map(versionView), release] };
  });
}
