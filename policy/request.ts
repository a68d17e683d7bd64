import type { CedarValueJson, EntityJson, TypeAndId } from '@cedar-policy/cedar-wasm/nodejs';

import type { Principal } from '../contracts/principal.ts';
import type { Action } from './actions.ts';
import type { ModelCall, Resource, ResourceKind } from './resource.ts';
import { principalTags } from './tags.ts';
import { TOOL_OF } from './tool-actions.ts';

/** Who asks, as policy knows it. */
export type Subject = Principal & {
  /** What the access token is good for, where it says so. */
  readonly scopes?: readonly string[] | undefined;
};

/** A question to policy, in Cedar's terms. */
export interface CedarRequest {
  readonly principal: TypeAndId;
  readonly action: TypeAndId;
  readonly resource: TypeAndId;
  readonly context: Record<string, CedarValueJson>;
  readonly entities: EntityJson[];
}

const PRINCIPAL_TYPES = { user: 'User', agent: 'Agent', service: 'Service' } as const;
/** What Cedar calls each kind of resource. */
export const RESOURCE_TYPES: Readonly<Record<ResourceKind, string>> = {
  task: 'Task',
  approval: 'Approval',
  session: 'Session',
  shard: 'Shard',
  notification: 'Notification',
  organisation: 'Organisation',
  profile: 'Profile',
  recipe: 'Recipe',
  agent: 'Registration',
  sign_in: 'SignIn',
  model: 'Model',
};

function subjectAttributes(principal: Subject): EntityJson['attrs'] {
  const tags = principalTags(principal);
  return {
    organisation: principal.organisation_id,
    role: principal.role,
    administrator: principal.administrator,
    tags,
    self: tags.filter((tag) => tag.startsWith('user:') || tag.startsWith('agent:')),
    ...(principal.acts_for !== null && { acts_for: principal.acts_for }),
    clearance: [...principal.clearance],
    scopes: [...(principal.scopes ?? [])],
  };
}

const owned = ({ owners = [], requester }: Resource): string[] =>
  requester === undefined ? [...owners] : [...owners, requester];

function thingAttributes(resource: Resource): EntityJson['attrs'] {
  const { assignees = [], managers = [], participants = [], readers = [], approvers = [], target_role } = resource;
  return {
    organisation: resource.organisation_id,
    owners: owned(resource),
    assignees: [...assignees],
    managers: [...managers],
    participants: [...participants],
    readers: [...readers],
    approvers: [...approvers],
    agents_may_decide: resource.agents_may_decide ?? false,
    ...(target_role !== undefined && { target_role }),
  };
}

const modelAttributes = (resource: Resource, call: ModelCall): EntityJson['attrs'] => ({
  organisation: resource.organisation_id,
  owners: owned(resource),
  provider: call.provider,
  name: call.model,
  local: call.local,
  data_classes: [...call.data_classes],
  allowed_providers: [...call.allowed_providers],
  forbidden_providers: [...call.forbidden_providers],
  local_only: call.local_only,
  masks: call.masks,
});

function contextOf(action: Action, { allowed_tools, data_classes = [] }: Resource): CedarRequest['context'] {
  const tool = TOOL_OF[action];
  return {
    ...(tool !== undefined && { tool }),
    ...(allowed_tools && { allowed_tools: [...allowed_tools] }),
    data_classes: [...data_classes],
  };
}

/** Puts a question into Cedar's terms: two entities with their attributes, and how it is asked. */
export function requestOf(principal: Subject, action: Action, resource: Resource): CedarRequest {
  const who = { type: PRINCIPAL_TYPES[principal.kind], id: principal.id };
  const what = { type: RESOURCE_TYPES[resource.kind], id: resource.id ?? resource.kind };
  const attrs = resource.model ? modelAttributes(resource, resource.model) : thingAttributes(resource);
  return {
    principal: who,
    action: { type: 'Action', id: action },
    resource: what,
    context: contextOf(action, resource),
    entities: [
      { uid: who, attrs: subjectAttributes(principal), parents: [] },
      { uid: what, attrs, parents: [] },
    ],
  };
}
