import type { z } from 'zod';

import { getOrganisationPolicies, setOrganisationPolicies } from '../../contracts/policy.ts';
import type { OrganisationPolicies } from '../../contracts/policy.ts';
import { listUsers } from '../../db/directory.ts';
import { addPolicies, currentPolicies, lockPolicies } from '../../db/policies.ts';
import type { PolicyVersionRow } from '../../db/policies.ts';
import type { Queryable } from '../../db/pool.ts';
import type { OrganisationProfileMap } from '../../directory/organisation-profiles.ts';
import { digestOf } from '../../platform/digest.ts';
import { ADDITION_PREFIX } from '../../policy/additions.ts';
import type { Policy } from '../../policy/cedar.ts';
import { checkAdditions } from '../../policy/check-additions.ts';
import { locksOut } from '../../policy/lock-out.ts';
import type { Call } from '../call.ts';
import type { ApiDeps } from '../deps.ts';
import { mount } from '../http.ts';
import type { Mounting } from '../http.ts';
import { requirePermission } from '../permission.ts';
import { ApiError } from '../problem.ts';
import { recordEvent } from '../record.ts';
import { iso } from '../views.ts';
import { mountExplain } from './explain.ts';

const NONE: OrganisationPolicies = { version: 0, policies: '', digest: null, created_by: null, created_at: null };

const viewOf = ({ text, created_at, ...row }: PolicyVersionRow): OrganisationPolicies => ({
  version: row.version,
  policies: text,
  digest: row.digest,
  created_by: row.created_by,
  created_at: iso(created_at),
});

/** The policies of a text that can be used; refuses it with everything that is wrong. */
function usable(text: string): readonly Policy[] {
  const { policies, faults } = checkAdditions(text);
  if (faults.length === 0) return policies;
  throw new ApiError(
    { code: 'invalid_input', detail: `policies: ${faults[0] ?? ''}` },
    faults.slice(0, 50).map((detail) => ({ pointer: '/policies', detail })),
  );
}

/** Refuses what nobody could ever take back. */
async function checkLockOut(
  sql: Queryable,
  { organisation_id }: Call['principal'],
  policies: readonly Policy[],
  profiles: OrganisationProfileMap,
): Promise<void> {
  const administrators = (await listUsers(sql)).filter(({ administrator }) => administrator);
  const subjects = administrators.map(({ id, name, role }) => ({
    organisation_id,
    kind: 'user' as const,
    id,
    name,
    role,
    acts_for: null,
    administrator: true,
    clearance: profiles.get(role)?.privacy.clearance ?? [],
  }));
  if (!locksOut(policies, subjects)) return;
  const detail = 'would keep every administrator from policy:manage, so that nobody could take it back';
  throw new ApiError({ code: 'invalid_input', detail: `policies: ${detail}.` }, [{ pointer: '/policies', detail }]);
}

type Change = z.output<typeof setOrganisationPolicies.input>;

async function change(deps: ApiDeps, call: Call, { policies: text, dry_run, expected_version }: Change) {
  const decided = await requirePermission(deps, call, 'policy:manage', { kind: 'organisation' });
  const policies = usable(text);
  const ids = policies.map(({ id }) => ADDITION_PREFIX + id);
  const profiles = await deps.profilesOf(call.principal.organisation_id);
  const stored = await deps.database.transaction(call.principal.organisation_id, async (sql) => {
    await lockPolicies(sql);
    await checkLockOut(sql, call.principal, policies, profiles);
    const before = await currentPolicies(sql);
    const version = before?.version ?? 0;
    if (expected_version !== undefined && expected_version !== version)
      throw new ApiError({
        code: 'version_conflict',
        detail: `The policies are at version ${String(version)}, not ${String(expected_version)}.`,
        facts: { version },
      });
    const row = { version: version + 1, text, digest: digestOf(text) ?? '', created_by: call.principal.id };
    if (dry_run) return { ...row, created_at: new Date() };
    await recordEvent(sql, call, {
      action: 'policy.changed',
      kind: 'organisation',
      id: call.principal.organisation_id,
      policies: decided,
      details: { version: row.version, before: before?.digest ?? null, after: row.digest, policies: ids },
    });
    return (await addPolicies(sql, row)) ?? { ...row, created_at: new Date() };
  });
  return { ...viewOf(stored), dry_run, ids };
}

/** Routes of policy: what the organisation adds, and why a decision is as it is. */
export function mountPolicy(mounting: Mounting): void {
  const { deps } = mounting;
  mount(mounting, getOrganisationPolicies, async (_, call) => {
    await requirePermission(deps, call, 'policy:manage', { kind: 'organisation' });
    const row = await deps.database.inOrganisation(call.principal.organisation_id, currentPolicies);
    return row ? viewOf(row) : NONE;
  });
  mount(mounting, setOrganisationPolicies, (input, call) => change(deps, call, input));
  mountExplain(mounting);
}
