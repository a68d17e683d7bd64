import type { Actor } from '../contracts/actor.ts';
import { approvalContentOf } from '../contracts/approvals.ts';
import type {
  ApprovalActivities,
  ApprovalContent,
  CheckedDecision,
  CompiledApproval,
  CompileRequest,
  DecisionCheck,
} from '../contracts/approvals.ts';
import type { ApprovalPolicy, Requirement } from '../contracts/approval-policy.ts';
import type { Json } from '../contracts/json.ts';
import { attainable, filledUp, usersOf, withOthers } from '../contracts/requirement.ts';
import { refused } from '../contracts/parse.ts';
import { getContent, putMasked } from '../db/contents.ts';
import { delegatorsOf, validDelegations } from '../db/delegations.ts';
import { findUser, listUsers, managerChainOf } from '../db/directory.ts';
import type { Queryable } from '../db/pool.ts';
import { findTask } from '../db/tasks.ts';
import { digestOf } from '../platform/digest.ts';
import { newId } from '../platform/ids.ts';
import { schemaFaults } from '../platform/json-schema.ts';
import { compilePolicy, policyOf } from './approval-policy.ts';
import type { ProfilesOf } from '../directory/organisation-profiles.ts';
import type { ActivityDeps } from './deps.ts';
import { isNear, requireOpen } from './tasks.ts';
import { permit, toolsOf } from './principals.ts';
import { requireSession } from './sessions.ts';

type Profiles = Awaited<ReturnType<ProfilesOf>>;

async function contentOf(sql: Queryable, id: string): Promise<ApprovalContent> {
  const row = await getContent(sql, id);
  if (!row) throw refused({ code: 'not_found', detail: `Content ${id} does not exist.` });
  return approvalContentOf(row.masked);
}

/** The requester, and the person behind it: neither ever decides. */
const selves = ({ id, acts_for }: Actor): Set<string> => new Set(acts_for === null ? [id] : [id, acts_for]);

async function checkSubject(sql: Queryable, { task_id, session_id, requester }: CompileRequest): Promise<void> {
  if (session_id !== null) await requireSession(sql, session_id, requester);
  if (task_id === null) return;
  const task = await findTask(sql, task_id);
  if (!task || !(isNear(task, requester) || requester.administrator))
    throw refused({ code: 'not_found', detail: `Task ${task_id} is not one that you sent or work on.` });
  requireOpen(task);
}

/** Who may decide for whom at the moment, and is asked along with the approvers. */
async function delegatesOf(sql: Queryable, requirement: Requirement, excluded: ReadonlySet<string>) {
  const users = [...usersOf(requirement)];
  const delegations = (await validDelegations(sql, users)).filter(({ delegate_id }) => !excluded.has(delegate_id));
  const delegates: Record<string, string[]> = {};
  for (const { user_id, delegate_id } of delegations) (delegates[user_id] ??= []).push(delegate_id);
  return delegates;
}

/** Everybody whom a policy names. */
function namedIn(policy: ApprovalPolicy): string[] {
  if ('any_of' in policy) return policy.any_of.flatMap(namedIn);
  if ('all_of' in policy) return policy.all_of.flatMap(namedIn);
  if ('of' in policy) return policy.of.flatMap(namedIn);
  return 'user' in policy ? [policy.user] : [];
}

/** Who is asked for those that left: as it was settled when they did; for who had answered before, the manager above. */
async function standInsOf(
  sql: Queryable,
  policy: ApprovalPolicy,
  { replaced = [] }: CompileRequest,
): Promise<string[]> {
  const standIns = replaced.flatMap(({ instead }) => (instead === null ? [] : [instead]));
  for (const user of namedIn(policy)) {
    if (replaced.some((one) => one.user === user) || (await findUser(sql, user))) continue;
    const [nearest] = await managerChainOf(sql, user);
    if (nearest) standIns.push(nearest.id);
  }
  return standIns;
}

async function compile(
  known: Profiles,
  sql: Queryable,
  request: CompileRequest,
  content: ApprovalContent,
  fallback: Requirement | null = null,
): Promise<CompiledApproval> {
  const excluded = selves(request.requester);
  const task = request.task_id === null ? undefined : await findTask(sql, request.task_id);
  const roles = [task?.sender_role, request.requester.role];
  const profiles = roles.flatMap((role) => (role ? (known.get(role) ?? []) : []));
  const policy = policyOf(content.approvers, profiles);
  const replaced = request.replaced && new Set(request.replaced.map(({ user }) => user));
  const compiled = (await compilePolicy(policy, { sql, content, excluded, profiles, replaced })) ?? fallback;
  if (!compiled)
    throw refused({
      code: 'no_eligible_approver',
      detail: 'No condition of the policy holds for this subject, so nobody would have to approve it.',
    });
  const standIns = request.replaced ? await standInsOf(sql, policy, request) : [];
  const able = (user: string): boolean => !excluded.has(user) && replaced?.has(user) !== true;
  const requirement = withOthers(filledUp(compiled, standIns.filter(able)), request.escalated_to.filter(able));
  if (!attainable(requirement))
    throw refused({
      code: 'no_eligible_approver',
      detail: `There are not enough people for: ${requirement.label}. The requester does not count.`,
    });
  return {
    requirement,
    digest: digestOf(content.action),
    delegates: await delegatesOf(sql, requirement, excluded),
    policies: [],
  };
}

/** Whom the decision counts for: the actor's own vote, or that of an approver who delegated to it. */
async function principalOfVote(
  sql: Queryable,
  { actor, request }: DecisionCheck,
  requirement: Requirement,
): Promise<string | null> {
  const person =
    actor.kind === 'agent' ? (actor.acts_for ?? (await anyOfRole(sql, actor, requirement)) ?? actor.id) : actor.id;
  const approvers = usersOf(requirement);
  if (approvers.includes(person)) return person === actor.id || person === actor.acts_for ? null : person;
  const from = (await delegatorsOf(sql, person)).find(
    (user) => approvers.includes(user) && !selves(request.requester).has(user),
  );
  if (from === undefined)
    throw refused({ code: 'not_an_approver', detail: 'You are neither an approver of this nor a delegate of one.' });
  return from;
}

/** An agent of a whole role, where the request lets agents decide, answers for one of its role's people. */
async function anyOfRole(sql: Queryable, { role }: Actor, requirement: Requirement): Promise<string | undefined> {
  if (role === null) return undefined;
  const people = (await listUsers(sql, role)).map((user) => user.id);
  return usersOf(requirement).find((user) => people.includes(user));
}

async function edited(
  known: Profiles,
  sql: Queryable,
  check: DecisionCheck,
  content: ApprovalContent,
  asked: Requirement,
): Promise<CheckedDecision['edited']> {
  if (!check.edits || check.decision === null) return null;
  const { action, editable } = content;
  // An edit may bring the subject below every limit of the policy; who was asked before is then still asked.
  if (!action || !editable) throw refused({ code: 'invalid_edits', detail: 'The request allows no edits.' });
  const decision = await getContent(sql, check.decision);
  const edits = (decision?.masked as { edits?: Record<string, Json> } | undefined)?.edits ?? {};
  const faults = schemaFaults(editable, edits);
  if (faults !== undefined) throw refused({ code: 'invalid_edits', detail: faults });
  const foreign = Object.keys(edits).find((key) => !isEditable(editable, key));
  if (foreign !== undefined)
    throw refused({ code: 'invalid_edits', detail: `${foreign} is not among the fields that may be edited.` });
  const changed: ApprovalContent = { ...content, action: { ...action, arguments: { ...action.arguments, ...edits } } };
  const id = newId('content');
  const before = await getContent(sql, check.request.content);
  await putMasked(sql, id, changed as Json, { ...before?.found, ...decision?.found });
  return { content: id, compiled: await compile(known, sql, check.request, changed, asked) };
}

/** Only what the schema names may be set: a schema that says nothing of a field does not allow it. */
const isEditable = (schema: Record<string, Json>, key: string): boolean => {
  const properties = schema['properties'];
  return typeof properties === 'object' && properties !== null && Object.hasOwn(properties, key);
};

/** Who may approve what, and the digest that binds an approval to its action. */
export const createApprovalActivities = (deps: ActivityDeps): ApprovalActivities => ({
  async compileApproval(request) {
    const { requester } = request;
    const known = await deps.profilesOf(request.organisation_id);
    const allowed_tools = toolsOf(requester, requester.role === null ? undefined : known.get(requester.role));
    return deps.database.inOrganisation(request.organisation_id, async (sql) => {
      const policies = permit(
        request.organisation_id,
        { actor: requester, role: requester.role ?? 'support' },
        'approval:request',
        {
          kind: 'approval',
          ...(allowed_tools && { allowed_tools }),
        },
      );
      await checkSubject(sql, request);
      return { ...(await compile(known, sql, request, await contentOf(sql, request.content))), policies };
    });
  },

  async checkDecision(check) {
    const known = await deps.profilesOf(check.organisation_id);
    return deps.database.inOrganisation(check.organisation_id, async (sql) => {
      const content = await contentOf(sql, check.request.content);
      const { requirement } = await compile(known, sql, check.request, content);
      const on_behalf_of = await principalOfVote(sql, check, requirement);
      return { on_behalf_of, edited: await edited(known, sql, check, content, requirement) };
    });
  },

  managersOf: ({ organisation_id, users }) =>
    deps.database.inOrganisation(organisation_id, async (sql) => {
      const managers = new Set<string>();
      for (const user of users) {
        const [, manager] = await managerChainOf(sql, user);
        if (manager) managers.add(manager.id);
      }
      return [...managers];
    }),
});
