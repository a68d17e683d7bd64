import test from 'ava';
import fc from 'fast-check';

import { ENTITY_TYPES, ROLES } from '../../../contracts/principal.ts';
import type { Principal } from '../../../contracts/principal.ts';
import type { Action } from '../../../policy/actions.ts';
import { authorise } from '../../../policy/authorise.ts';
import type { Resource, ResourceKind } from '../../../policy/resource.ts';
import { decideByModel } from './model.ts';

/** What the model knows, and what each is asked about. */
const ASKED: Readonly<Partial<Record<Action, readonly ResourceKind[]>>> = {
  'task:send': ['task', 'organisation'],
  'task:read': ['task', 'organisation'],
  'task:claim': ['task'],
  'task:progress': ['task'],
  'task:complete': ['task'],
  'task:fail': ['task'],
  'task:decline': ['task'],
  'task:handoff': ['task'],
  'task:cancel': ['task'],
  'task:retry': ['task'],
  'approval:request': ['approval', 'organisation'],
  'approval:read': ['approval', 'organisation'],
  'approval:decide': ['approval'],
  'approval:withdraw': ['approval'],
  'approval:revise': ['approval'],
  'approval:redeem': ['approval'],
  'approval:delegate': ['organisation'],
  'session:create': ['session', 'organisation'],
  'session:read': ['session', 'organisation'],
  'session:update': ['session'],
  'session:handoff': ['session'],
  'session:participate': ['session'],
  'shard:read': ['shard', 'session', 'organisation'],
  'shard:write': ['shard', 'session'],
  'notification:send': ['notification', 'organisation'],
  'notification:read': ['notification', 'organisation'],
  'notification:ack': ['notification'],
  'profile:read': ['profile', 'organisation'],
  'directory:read': ['organisation'],
  'audit:read': ['organisation'],
  'audit:ingest': ['organisation'],
  'agent:heartbeat': ['organisation'],
  'channel:manage': ['notification'],
  'dispatch:pause': ['organisation'],
  'history:read': ['organisation'],
  'history:write': ['organisation'],
};

// Few names, so that principals and lists meet often.
const names = ['a', 'b'] as const;
const organisation = fc.constantFrom('org_one', 'org_one', 'org_one', 'org_two');
const principal: fc.Arbitrary<Principal> = fc.record({
  organisation_id: organisation,
  kind: fc.constantFrom('user', 'agent', 'service'),
  id: fc.constantFrom(...names),
  name: fc.constant('somebody'),
  role: fc.constantFrom(...ROLES.slice(0, 3)),
  acts_for: fc.option(fc.constantFrom(...names)),
  administrator: fc.boolean(),
  clearance: fc.subarray([...ENTITY_TYPES]),
});
const tag = fc.oneof(
  fc.constantFrom(...names.flatMap((name) => [`user:${name}`, `agent:${name}`, `service:${name}`])),
  fc.constantFrom(...ROLES.slice(0, 3).map((role) => `role:${role}`), 'administrator'),
);
const tags = fc.array(tag, { maxLength: 2 });
const parts = fc.record(
  {
    owners: tags,
    assignees: tags,
    managers: tags,
    participants: tags,
    readers: tags,
    approvers: tags,
    target_role: fc.constantFrom(...ROLES.slice(0, 3)),
    requester: tag,
    agents_may_decide: fc.boolean(),
    allowed_tools: fc.subarray(['send_task', 'claim_task', 'decide_approval', 'read_context', 'notify']),
  },
  { requiredKeys: [] },
);
const question = fc
  .constantFrom(...(Object.entries(ASKED) as [Action, readonly ResourceKind[]][]))
  .chain(([action, kinds]) => fc.tuple(fc.constant(action), fc.constantFrom(...kinds)));

test('POL-1: Cedar decides as the rules in plain words do, and names the same policies', (t) => {
  fc.assert(
    fc.property(principal, question, organisation, parts, (who, [action, kind], organisation_id, more) => {
      const resource: Resource = { ...more, kind, organisation_id };
      const { allow, policies } = authorise(who, action, resource);
      const model = decideByModel(who, action, resource);
      t.deepEqual({ allow, policies: [...policies].sort() }, { allow: model.allow, policies: model.policies.sort() });
    }),
    { numRuns: 3_000 },
  );
});
