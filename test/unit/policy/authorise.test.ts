import test from 'ava';
import fc from 'fast-check';

import { ROLES } from '../../../contracts/principal.ts';
import type { Principal, Role } from '../../../contracts/principal.ts';
import { ACTIONS, isAction } from '../../../policy/actions.ts';
import type { Action } from '../../../policy/actions.ts';
import { authorise } from '../../../policy/authorise.ts';
import { basePolicies } from '../../../policy/base.ts';
import type { Resource } from '../../../policy/resource.ts';
import { principalTags } from '../../../policy/tags.ts';

const ORG = 'org_one';
const someone = (kind: Principal['kind'], id: string, role: Role, more: Partial<Principal> = {}): Principal => ({
  organisation_id: ORG,
  kind,
  id,
  name: id,
  role,
  acts_for: null,
  administrator: false,
  clearance: [],
  ...more,
});

const WHO = {
  ada: someone('user', 'ada', 'finance', { clearance: ['card', 'iban'] }),
  ada_bot: someone('agent', 'ada_bot', 'finance', { acts_for: 'ada' }),
  desk: someone('agent', 'desk', 'finance'),
  max: someone('user', 'max', 'manager'),
  max_bot: someone('agent', 'max_bot', 'manager', { acts_for: 'max' }),
  lea: someone('user', 'lea', 'legal'),
  root: someone('user', 'root', 'hr', { administrator: true }),
  out: someone('user', 'out', 'finance', { organisation_id: 'org_two', administrator: true }),
};
type Who = keyof typeof WHO;

const WHAT = {
  organisation: { kind: 'organisation' },
  assistant: { kind: 'agent', owners: ['user:ada'] },
  queued: { kind: 'task', owners: ['user:max'], target_role: 'finance' },
  assigned: { kind: 'task', owners: ['user:max'], assignees: ['agent:desk'], target_role: 'finance' },
  approval: {
    kind: 'approval',
    owners: ['agent:ada_bot', 'user:ada'],
    requester: 'agent:ada_bot',
    approvers: ['role:manager', 'user:ada'],
  },
  open_approval: { kind: 'approval', requester: 'user:lea', approvers: ['role:manager'], agents_may_decide: true },
  session: { kind: 'session', owners: ['user:max'], participants: ['role:legal'] },
  shard: { kind: 'shard', owners: ['user:max'], readers: ['user:ada'] },
  note: { kind: 'notification', owners: ['user:max'], assignees: ['user:lea'] },
  profile: { kind: 'profile', target_role: 'legal' },
  recipe: { kind: 'recipe', target_role: 'legal' },
  own_agent: { kind: 'agent', owners: ['user:ada'] },
  role_agent: { kind: 'agent' },
  own: { kind: 'organisation', owners: ['user:ada'] },
  sign_in: { kind: 'sign_in', owners: ['user:ada'] },
  cards: { kind: 'organisation', data_classes: ['card'] },
  model: {
    kind: 'model',
    model: {
      provider: 'anthropic',
      model: 'claude-sonnet-4-5',
      local: false,
      data_classes: [],
      allowed_providers: ['anthropic'],
      forbidden_providers: [],
      local_only: false,
      masks: true,
    },
  },
} satisfies Record<string, Omit<Resource, 'organisation_id'>>;

/** action, resource, who may: everybody else may not. */
const MATRIX: readonly [Action, keyof typeof WHAT, string][] = [
  ['task:send', 'organisation', 'ada ada_bot desk max max_bot lea root'],
  ['task:read', 'organisation', 'ada ada_bot desk max max_bot lea root'],
  ['task:read', 'queued', 'ada ada_bot desk max max_bot root'],
  ['task:claim', 'queued', 'ada ada_bot desk root'],
  ['task:complete', 'queued', 'root'],
  ['task:progress', 'assigned', 'desk root'],
  ['task:complete', 'assigned', 'desk root'],
  ['task:fail', 'assigned', 'desk root'],
  ['task:decline', 'assigned', 'desk root'],
  ['task:handoff', 'assigned', 'desk root'],
  ['task:cancel', 'assigned', 'max max_bot root'],
  ['task:retry', 'assigned', 'max max_bot root'],
  ['approval:request', 'organisation', 'ada ada_bot desk max max_bot lea root'],
  ['approval:read', 'approval', 'ada ada_bot max max_bot root'],
  ['approval:decide', 'approval', 'max'],
  ['approval:decide', 'open_approval', 'max max_bot'],
  ['approval:withdraw', 'approval', 'ada ada_bot root'],
  ['approval:revise', 'approval', 'ada ada_bot root'],
  ['approval:redeem', 'approval', 'ada ada_bot root'],
  ['approval:delegate', 'organisation', 'ada max lea root'],
  ['session:create', 'organisation', 'ada ada_bot desk max max_bot lea root'],
  ['session:read', 'session', 'max max_bot lea root'],
  ['session:update', 'session', 'max max_bot lea root'],
  ['session:handoff', 'session', 'max max_bot lea root'],
  ['session:participate', 'session', 'max max_bot lea root'],
  ['shard:read', 'shard', 'ada ada_bot max max_bot root'],
  ['shard:write', 'shard', 'max max_bot root'],
  ['notification:send', 'organisation', 'ada ada_bot desk max max_bot lea root'],
  ['notification:read', 'note', 'max max_bot lea root'],
  ['notification:ack', 'note', 'lea root'],
  ['profile:read', 'profile', 'lea root'],
  ['directory:read', 'organisation', 'ada ada_bot desk max max_bot lea root'],
  ['audit:read', 'organisation', 'root'],
  ['audit:ingest', 'organisation', 'ada_bot desk max_bot root'],
  ['agent:heartbeat', 'organisation', 'ada_bot desk max_bot root'],
  ['channel:manage', 'note', 'max max_bot root'],
  ['dispatch:pause', 'organisation', 'root'],
  ['history:read', 'organisation', 'root'],
  ['history:write', 'organisation', 'root'],
  ['directory:import', 'organisation', 'root'],
  ['directory:manage', 'organisation', 'root'],
  ['directory:sync', 'organisation', 'root'],
  ['agent:register', 'own_agent', 'ada root'],
  ['agent:manage', 'own_agent', 'ada root'],
  ['agent:manage', 'role_agent', 'root'],
  ['profile:manage', 'profile', 'root'],
  ['policy:manage', 'organisation', 'root'],
  ['policy:explain', 'organisation', 'root'],
  ['policy:explain', 'own', 'ada ada_bot root'],
  ['session:revoke', 'sign_in', 'ada root'],
  ['recipe:read', 'recipe', 'lea root'],
  ['recipe:run', 'recipe', 'lea root'],
  ['recipe:manage', 'recipe', 'root'],
  ['organisation:export', 'organisation', 'root'],
  ['organisation:erase', 'organisation', 'root'],
  ['guard:use', 'organisation', 'ada ada_bot desk max max_bot lea root'],
  ['guard:explain', 'organisation', 'ada ada_bot desk max max_bot lea root'],
  ['guard:manage', 'organisation', 'root'],
  ['privacy:unmask', 'cards', 'ada'],
  ['model:call', 'model', 'ada ada_bot desk max max_bot lea root'],
];

for (const [action, what, allowed] of MATRIX) {
  test(`POL-1: ${action} on ${what}: ${allowed}`, (t) => {
    const resource = { organisation_id: ORG, ...WHAT[what] };
    const may = (Object.keys(WHO) as Who[]).filter((who) => authorise(WHO[who], action, resource).allow);
    t.is(may.join(' '), allowed);
  });
}

test('POL-1: the matrix names every action', (t) => {
  t.deepEqual(
    ACTIONS.filter((action) => !MATRIX.some(([named]) => named === action)),
    [],
  );
  t.true(isAction('task:send'));
  t.false(isAction('task:steal'));
});

test('POL-1: a decision names the policies that made it', (t) => {
  const task: Resource = { organisation_id: ORG, ...WHAT.assigned };
  t.deepEqual(authorise(WHO.desk, 'task:complete', task), {
    allow: true,
    policies: ['assignees-work'],
    reason: 'task:complete on this task is permitted by assignees-work.',
  });
  t.deepEqual(authorise(WHO.lea, 'task:complete', task).policies, []);
  t.regex(authorise(WHO.lea, 'task:complete', task).reason, /^No policy permits this legal user task:complete/);
  t.deepEqual(authorise(WHO.out, 'task:complete', task).policies, ['organisations-stay-apart']);
});

test('APPR-2: requesters never decide, even as administrators or through their agents', (t) => {
  const own: Resource = { organisation_id: ORG, kind: 'approval', requester: 'user:max', approvers: ['role:manager'] };
  for (const who of [WHO.max, { ...WHO.max, administrator: true }, WHO.max_bot]) {
    const { allow, policies } = authorise(who, 'approval:decide', { ...own, agents_may_decide: true });
    t.deepEqual({ allow, policies }, { allow: false, policies: ['requesters-never-decide'] });
  }
});

test('POL-1: a tool that the profile does not allow is refused', (t) => {
  const resource: Resource = { organisation_id: ORG, kind: 'organisation', allowed_tools: ['notify'] };
  t.deepEqual(authorise(WHO.desk, 'task:send', resource).policies, ['profiles-allow-tools']);
  t.true(authorise(WHO.desk, 'notification:send', resource).allow);
  t.true(authorise(WHO.ada, 'task:send', resource).allow, 'people are not held to it');
  t.true(authorise(WHO.desk, 'directory:read', resource).allow);
});

test('POL-1: nothing crosses organisations, whoever it is and whatever lists say', (t) => {
  const role = fc.constantFrom(...ROLES);
  const action = fc.constantFrom(...ACTIONS);
  const kind = fc.constantFrom('user' as const, 'agent' as const, 'service' as const);
  fc.assert(
    fc.property(kind, role, action, fc.boolean(), (as, having, doing, administrator) => {
      const outsider = someone(as, 'x', having, { organisation_id: 'org_two', administrator });
      const lists = principalTags(outsider);
      const resource: Resource = {
        organisation_id: ORG,
        kind: 'task',
        owners: lists,
        assignees: lists,
        approvers: lists,
      };
      t.false(authorise(outsider, doing, resource).allow);
    }),
  );
});

test('POL-1: policies have names of their own', (t) => {
  const { policies } = basePolicies();
  t.is(new Set(policies.map(({ id }) => id)).size, policies.length);
  t.deepEqual(
    policies.filter(({ why }) => why === null),
    [],
    'each says why',
  );
});

test('POL-1: a service syncs the directory only where its token says so', (t) => {
  const service = someone('service', 'scim', 'support');
  const resource: Resource = { organisation_id: ORG, kind: 'organisation' };
  t.false(authorise(service, 'directory:sync', resource).allow);
  t.true(authorise({ ...service, scopes: ['directory:sync'] }, 'directory:sync', resource).allow);
  t.false(authorise({ ...WHO.desk, scopes: ['directory:sync'] }, 'directory:sync', resource).allow);
});

test('POL-1: what the schema does not know is refused and told', (t) => {
  const { allow, policies, reason } = authorise(WHO.root, 'task:claim', { organisation_id: ORG, kind: 'profile' });
  t.deepEqual({ allow, policies }, { allow: false, policies: [] });
  t.regex(reason, /^task:claim on this profile is refused: .*Profile/);
});
