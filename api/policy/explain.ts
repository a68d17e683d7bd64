import { explainPolicy } from '../../contracts/policy.ts';
import { kindOfId } from '../../contracts/ids.ts';
import type { Json } from '../../contracts/json.ts';
import { Role } from '../../contracts/principal.ts';
import type { Principal } from '../../contracts/principal.ts';
import { findAgent, findUser } from '../../db/directory.ts';
import { modelLimits } from '../../directory/model-limits.ts';
import { isAction } from '../../policy/actions.ts';
import { explain } from '../../policy/explain.ts';
import type { ModelCall, Resource } from '../../policy/resource.ts';
import { readableApproval } from '../approvals/handlers.ts';
import { approvalResource } from '../approvals/view.ts';
import type { Call } from '../call.ts';
import type { ApiDeps } from '../deps.ts';
import { mount } from '../http.ts';
import type { Mounting } from '../http.ts';
import { requirePermission, toolsOf } from '../permission.ts';
import { ApiError, notFound } from '../problem.ts';
import { readableSession } from '../sessions/handlers.ts';
import { sessionResource } from '../sessions/view.ts';
import { readableTask } from '../tasks/handlers.ts';
import { taskResource } from '../tasks/view.ts';

type Asked = Omit<Resource, 'organisation_id'>;
type Described = Exclude<(typeof explainPolicy)['input']['_output']['resource'], string>;

/** Somebody of the organisation, as they would be if they called. */
async function somebody(deps: ApiDeps, call: Call, id: string): Promise<Principal> {
  const { organisation_id } = call.principal;
  if (id === call.principal.id) return call.principal;
  const who = await deps.database.inOrganisation(organisation_id, async (sql) => {
    const agent = kindOfId(id) === 'agent' ? await findAgent(sql, id) : undefined;
    if (agent) return { ...agent, kind: 'agent' as const, administrator: false };
    const user = kindOfId(id) === 'user' ? await findUser(sql, id) : undefined;
    return user && { ...user, kind: 'user' as const, acts_for: null };
  });
  if (!who) throw notFound(id);
  const { kind, name, role, acts_for, administrator } = who;
  const clearance = (await deps.profilesOf(organisation_id)).get(role)?.privacy.clearance ?? [];
  return { organisation_id, kind, id, name, role, acts_for, administrator, clearance };
}

/** The real thing of an id, as far as the caller may read it; everything else does not exist. */
async function resourceOf(deps: ApiDeps, call: Call, id: string): Promise<Asked> {
  const role = Role.safeParse(id);
  if (role.success) return { kind: 'profile', target_role: role.data };
  switch (kindOfId(id)) {
    case 'task':
      return { ...taskResource(await readableTask(deps, call, id)), id };
    case 'approval':
      return { ...approvalResource(await readableApproval(deps, call, id)), id };
    case 'session':
      return { ...sessionResource(await readableSession(deps, call, id)), id };
    case 'agent': {
      const { acts_for } = await somebody(deps, call, id);
      return { kind: 'agent', id, owners: acts_for === null ? [] : [`user:${acts_for}`] };
    }
    default:
      throw notFound(id);
  }
}

async function describedResource(
  deps: ApiDeps,
  { organisation_id, role }: Principal,
  { model, ...described }: Described,
): Promise<Asked> {
  const plain = Object.fromEntries(
    Object.entries(described).filter(([, value]) => value !== undefined),
  ) as unknown as Asked;
  if (described.kind !== 'model') return plain;
  const profile = (await deps.profilesOf(organisation_id)).get(role);
  if (!model || !profile)
    throw new ApiError({ code: 'invalid_input', detail: 'resource: a model needs the field model.' });
  const call: ModelCall = { ...model, ...modelLimits(profile) };
  return { kind: 'model', id: `${model.provider}/${model.model}`, model: call };
}

/** POST /policy/explain: the decision that would be taken, taken apart. */
export function mountExplain(mounting: Mounting): void {
  const { deps } = mounting;
  mount(mounting, explainPolicy, async ({ principal: id, action, resource }, call) => {
    if (!isAction(action))
      throw new ApiError({ code: 'invalid_input', detail: `action: ${action} is none.` }, [
        { pointer: '/action', detail: 'is no action of this product' },
      ]);
    const principal = await somebody(deps, call, id ?? call.principal.id);
    const owners = [`${principal.kind}:${principal.id}`];
    if (principal.kind === 'agent' && principal.acts_for !== null) owners.push(`user:${principal.acts_for}`);
    await requirePermission(deps, call, 'policy:explain', { kind: 'organisation', owners }, principal.id);
    const asked =
      typeof resource === 'string'
        ? await resourceOf(deps, call, resource)
        : await describedResource(deps, principal, resource);
    const { organisation_id } = principal;
    const explained = explain(principal, action, {
      ...asked,
      ...(await toolsOf(deps, principal)),
      organisation_id,
    });
    return {
      ...explained,
      deciding: [...explained.deciding].map((policy) => ({ ...policy, conditions: [...policy.conditions] })),
      would_permit: [...explained.would_permit].map((policy) => ({ ...policy, conditions: [...policy.conditions] })),
      looked_at: explained.looked_at as Record<string, Json>,
    };
  });
}
