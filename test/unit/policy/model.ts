import type { Principal } from '../../../contracts/principal.ts';
import type { Action } from '../../../policy/actions.ts';
import type { Resource } from '../../../policy/resource.ts';
import { isAddressed, principalTags } from '../../../policy/tags.ts';
import { TOOL_OF } from '../../../policy/tool-actions.ts';

// The rules of work, approvals, sessions and notifications in plain TypeScript: a second opinion that the Cedar policies
// are compared with, so that a slip in either shows.

/** One rule. It applies to its actions, to all where none are named. */
interface Policy {
  /** Stable name: audit events and refusals quote it. */
  readonly id: string;
  readonly effect: 'permit' | 'forbid';
  readonly actions?: readonly Action[];
  readonly when: (principal: Principal, resource: Resource, action: Action) => boolean;
}

const always = (): boolean => true;
const isPerson = ({ kind }: Principal): boolean => kind === 'user';
const owns = (principal: Principal, { owners, requester }: Resource): boolean =>
  isAddressed(principal, owners) || (requester !== undefined && isAddressed(principal, [requester]));
const isAssignee = (principal: Principal, { assignees }: Resource): boolean => isAddressed(principal, assignees);
const isApprover = (principal: Principal, { approvers }: Resource): boolean => isAddressed(principal, approvers);
const hasTargetRole = ({ role }: Principal, { target_role }: Resource): boolean => role === target_role;
const takesPart = (principal: Principal, resource: Resource): boolean =>
  owns(principal, resource) || isAddressed(principal, resource.participants);
const mayRead = (principal: Principal, resource: Resource): boolean =>
  takesPart(principal, resource) || isAssignee(principal, resource) || isAddressed(principal, resource.readers);

// Owning as a person, not through a role: a request of one manager may well be decided by another.
function ownsPersonally(principal: Principal, { owners = [], requester = '' }: Resource): boolean {
  const self = principalTags(principal).filter((tag) => tag.startsWith('user:') || tag.startsWith('agent:'));
  return self.some((tag) => tag === requester || owners.includes(tag));
}

// People are not held to the tools of their agents.
function isToolWithheld({ kind }: Principal, { allowed_tools }: Resource, action: Action): boolean {
  const tool = TOOL_OF[action];
  return kind === 'agent' && allowed_tools !== undefined && tool !== undefined && !allowed_tools.includes(tool);
}

const READS: readonly Action[] = ['task:read', 'approval:read', 'session:read', 'shard:read', 'notification:read'];
const WORK: readonly Action[] = ['task:claim', 'task:progress', 'task:complete', 'task:fail', 'task:decline'];

const POLICIES: readonly Policy[] = [
  {
    id: 'requesters-never-decide',
    effect: 'forbid',
    actions: ['approval:decide'],
    when: ownsPersonally,
  },
  { id: 'profiles-allow-tools', effect: 'forbid', when: isToolWithheld },
  {
    id: 'organisations-stay-apart',
    effect: 'forbid',
    when: (principal, resource) => principal.organisation_id !== resource.organisation_id,
  },

  { id: 'organisation-members-send-tasks', effect: 'permit', actions: ['task:send'], when: always },
  { id: 'organisation-members-request-approvals', effect: 'permit', actions: ['approval:request'], when: always },
  { id: 'organisation-members-open-sessions', effect: 'permit', actions: ['session:create'], when: always },
  { id: 'organisation-members-notify', effect: 'permit', actions: ['notification:send'], when: always },
  { id: 'organisation-members-read-the-directory', effect: 'permit', actions: ['directory:read'], when: always },
  {
    // The list holds only what the caller may read: the query sees to that.
    id: 'organisation-members-list-their-own',
    effect: 'permit',
    actions: READS,
    when: (_, { kind }) => kind === 'organisation',
  },

  { id: 'parties-read', effect: 'permit', actions: READS, when: mayRead },
  { id: 'approvers-read', effect: 'permit', actions: ['approval:read'], when: isApprover },
  { id: 'roles-read-their-queue', effect: 'permit', actions: ['task:read'], when: hasTargetRole },

  { id: 'assignees-work', effect: 'permit', actions: [...WORK, 'task:handoff'], when: isAssignee },
  { id: 'roles-claim-from-their-queue', effect: 'permit', actions: ['task:claim'], when: hasTargetRole },
  { id: 'senders-cancel', effect: 'permit', actions: ['task:cancel', 'task:retry'], when: owns },
  {
    id: 'escalation-managers-cancel',
    effect: 'permit',
    actions: ['task:cancel', 'task:retry'],
    when: (principal, { managers }) => isAddressed(principal, managers),
  },

  {
    id: 'people-decide',
    effect: 'permit',
    actions: ['approval:decide'],
    when: (principal, resource) => isPerson(principal) && isApprover(principal, resource),
  },
  {
    id: 'agents-decide-where-allowed',
    effect: 'permit',
    actions: ['approval:decide'],
    when: (principal, resource) =>
      principal.kind === 'agent' && resource.agents_may_decide === true && isApprover(principal, resource),
  },
  {
    id: 'requesters-steer-their-approvals',
    effect: 'permit',
    actions: ['approval:withdraw', 'approval:revise', 'approval:redeem'],
    when: owns,
  },
  { id: 'people-delegate', effect: 'permit', actions: ['approval:delegate'], when: isPerson },

  {
    id: 'participants-run-sessions',
    effect: 'permit',
    actions: ['session:update', 'session:handoff', 'session:participate', 'shard:write'],
    when: takesPart,
  },

  { id: 'recipients-acknowledge', effect: 'permit', actions: ['notification:ack'], when: isAssignee },
  { id: 'owners-manage-channels', effect: 'permit', actions: ['channel:manage'], when: owns },
  { id: 'members-read-their-profile', effect: 'permit', actions: ['profile:read'], when: hasTargetRole },
  { id: 'members-run-their-recipes', effect: 'permit', actions: ['recipe:read', 'recipe:run'], when: hasTargetRole },
  {
    id: 'agents-report',
    effect: 'permit',
    actions: ['agent:heartbeat', 'audit:ingest'],
    when: (principal) => !isPerson(principal),
  },
  {
    id: 'services-synchronise-the-directory',
    effect: 'permit',
    actions: ['directory:sync'],
    when: ({ kind }) => kind === 'service',
  },
  {
    id: 'people-manage-their-agents',
    effect: 'permit',
    actions: ['agent:register', 'agent:manage'],
    when: (principal, resource) => isPerson(principal) && owns(principal, resource),
  },
  {
    id: 'administrators-everything-but-deciding',
    effect: 'permit',
    when: ({ administrator }, _, action) => administrator && action !== 'approval:decide',
  },
];

/** What the model says: the ids of the rules that decide, and whether they allow. */
export function decideByModel(
  principal: Principal,
  action: Action,
  resource: Resource,
): { allow: boolean; policies: string[] } {
  const deciding = POLICIES.filter(
    ({ actions, when }) => (actions?.includes(action) ?? true) && when(principal, resource, action),
  );
  const idsOf = (effect: Policy['effect']): string[] =>
    deciding.filter((one) => one.effect === effect).map(({ id }) => id);
  const [forbids, permits] = [idsOf('forbid'), idsOf('permit')];
  return forbids.length > 0 ? { allow: false, policies: forbids } : { allow: permits.length > 0, policies: permits };
}
