import type { Principal } from '../contracts/principal.ts';
import { allowedTools } from '../directory/profiles.ts';
import type { Action } from '../policy/actions.ts';
import { authorise } from '../policy/authorise.ts';
import type { Decision } from '../policy/authorise.ts';
import type { Resource } from '../policy/resource.ts';
import type { Call } from './call.ts';
import type { ApiDeps } from './deps.ts';
import { ApiError } from './problem.ts';
import { recordEvent } from './record.ts';

type Asked = Omit<Resource, 'organisation_id'>;

/** What policy says of a caller and something of its own organisation. */
export const decisionOn = (principal: Principal, action: Action, resource: Asked): Decision =>
  authorise(principal, action, { ...resource, organisation_id: principal.organisation_id });

/** The tools that an agent's profile allows, as policy is told; people are not held to them. */
export async function toolsOf(
  { profilesOf }: ApiDeps,
  { kind, role, profile: assigned = role, organisation_id }: Principal,
): Promise<Pick<Resource, 'allowed_tools'>> {
  const profile = kind === 'agent' ? (await profilesOf(organisation_id)).get(assigned) : undefined;
  return profile ? { allowed_tools: allowedTools(profile) } : {};
}

/** Asks policy; a refusal goes on record and to the caller. Answers the deciding policies. */
export async function requirePermission(
  deps: ApiDeps,
  call: Call,
  action: Action,
  resource: Asked,
  subjectId = call.id,
): Promise<readonly string[]> {
  const decision = decisionOn(call.principal, action, { ...resource, ...(await toolsOf(deps, call.principal)) });
  if (decision.allow) return decision.policies;
  await recordRefusal(deps, call, { action, kind: resource.kind, id: subjectId, policies: decision.policies });
  throw new ApiError({ code: 'forbidden', detail: decision.reason, facts: { policies: decision.policies } });
}

/** Puts a refused attempt on record. */
export async function recordRefusal(
  { database }: ApiDeps,
  call: Call,
  {
    action,
    kind,
    id,
    policies,
  }: { readonly action: string; readonly kind: string; readonly id: string; readonly policies: readonly string[] },
): Promise<void> {
  await database.inOrganisation(call.principal.organisation_id, (sql) =>
    recordEvent(sql, call, { action: 'policy.refused', kind, id, outcome: 'denied', policies, details: { action } }),
  );
}
