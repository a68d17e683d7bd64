import test from 'ava';
import fc from 'fast-check';

import { ROLES } from '../../../contracts/principal.ts';
import type { Principal } from '../../../contracts/principal.ts';
import { ACTIONS } from '../../../policy/actions.ts';
import { setAdditions } from '../../../policy/additions.ts';
import { authorise } from '../../../policy/authorise.ts';
import { checkAdditions } from '../../../policy/check-additions.ts';
import { readPolicies } from '../../../policy/cedar.ts';
import { locksOut } from '../../../policy/lock-out.ts';
import type { Resource } from '../../../policy/resource.ts';

const someone = (organisation_id: string, more: Partial<Principal> = {}): Principal => ({
  organisation_id,
  kind: 'user',
  id: 'ada',
  name: 'Ada',
  role: 'finance',
  acts_for: null,
  administrator: false,
  clearance: [],
  ...more,
});
const policy = (id: string, scope: string, when = 'true'): string => `@id("${id}") forbid (${scope}) when { ${when} };`;
const ANY = 'principal, action, resource';

test('POL-1: an organisation adds forbids; its ids say whose they are', (t) => {
  setAdditions('org_ids', 1, policy('quiet', 'principal, action == Action::"notification:send", resource'));
  const resource: Resource = { kind: 'organisation', organisation_id: 'org_ids' };
  t.deepEqual(authorise(someone('org_ids'), 'notification:send', resource), {
    allow: false,
    policies: ['organisation:quiet'],
    reason: 'notification:send on this organisation is forbidden by organisation:quiet.',
  });
  t.true(authorise(someone('org_ids'), 'task:send', resource).allow);
  setAdditions('org_ids', 2, '');
  t.true(authorise(someone('org_ids'), 'notification:send', resource).allow);
});

test('POL-1: whatever an organisation adds, nothing becomes possible by it', (t) => {
  const scope = fc.constantFrom(
    ANY,
    'principal is Agent, action, resource',
    'principal, action in Action::"reads", resource',
  );
  const when = fc.constantFrom(
    'true',
    'principal.administrator',
    'principal.role == "hr"',
    'principal.tags.containsAny(resource.owners)',
  );
  const texts = fc.array(fc.tuple(scope, when), { maxLength: 4 });
  const who = fc.record({
    kind: fc.constantFrom('user' as const, 'agent' as const, 'service' as const),
    role: fc.constantFrom(...ROLES),
    administrator: fc.boolean(),
  });
  const tags = fc.subarray(['user:ada', 'agent:ada', 'role:hr', 'role:finance']);
  fc.assert(
    fc.property(texts, who, fc.constantFrom(...ACTIONS), tags, tags, (added, more, action, owners, assignees) => {
      const [plain, narrowed] = ['org_plain', 'org_narrowed'].map((organisation_id) => {
        const text = added.map(([where, condition], at) => policy(`p-${String(at)}`, where, condition)).join('\n');
        setAdditions('org_narrowed', 1, text);
        const resource: Resource = { kind: 'task', organisation_id, owners, assignees };
        return authorise(someone(organisation_id, more), action, resource);
      });
      if (narrowed?.allow === true) t.true(plain?.allow);
      if (plain?.allow === false) t.deepEqual(narrowed?.policies, plain.policies);
    }),
    { numRuns: 300 },
  );
});

test('POL-1: text with a permit in it closes the organisation instead of opening it', (t) => {
  const faults = setAdditions('org_open', 1, '@id("open") permit (principal, action, resource);');
  t.deepEqual(faults, ['open: is no forbid']);
  const resource: Resource = { kind: 'organisation', organisation_id: 'org_open' };
  const { allow, reason } = authorise(someone('org_open', { administrator: true }), 'audit:read', resource);
  t.false(allow);
  t.regex(reason, /policies of the organisation cannot be read/);
});

test('POL-1: what cannot be evaluated is refused, and says which policy', (t) => {
  const text = policy('sum', 'principal, action == Action::"task:send", resource', '9223372036854775807 + 1 > 0');
  t.deepEqual(checkAdditions(text).faults, []);
  setAdditions('org_sum', 1, text);
  const decision = authorise(someone('org_sum'), 'task:send', { kind: 'organisation', organisation_id: 'org_sum' });
  t.false(decision.allow);
  t.deepEqual(decision.policies, ['organisation:sum']);
  t.regex(decision.reason, /organisation:sum cannot be evaluated: .*overflow/);
});

test('POL-1: more organisations than are kept parsed each get their own policies', (t) => {
  const organisations = Array.from({ length: 230 }, (_, at) => `org_many_${String(at)}`);
  for (const [at, id] of organisations.entries())
    setAdditions(id, 1, policy(`own-${String(at)}`, 'principal, action == Action::"task:send", resource'));
  for (const round of [1, 2])
    for (const [at, id] of organisations.entries()) {
      const { policies } = authorise(someone(id), 'task:send', { kind: 'organisation', organisation_id: id });
      t.deepEqual(policies, [`organisation:own-${String(at)}`], `round ${String(round)}`);
    }
});

test('POL-1: policies that would lock out every administrator are found, others are not', (t) => {
  const administrators = [
    someone('org_lock', { id: 'root', administrator: true }),
    someone('org_lock', { id: 'boss', role: 'legal', administrator: true }),
  ];
  const locks = (...texts: string[]): boolean => locksOut(readPolicies(texts.join('\n')).policies, administrators);
  const manage = 'principal, action == Action::"policy:manage", resource';
  t.true(locks(policy('a', ANY)));
  t.true(locks(policy('a', 'principal, action in Action::"administration", resource')));
  t.true(locks(policy('a', manage, 'principal.role == "legal"'), policy('b', manage, 'principal.role == "finance"')));
  t.false(locks(policy('a', manage, 'principal.role == "legal"')), 'one is left');
  t.false(locks(policy('a', 'principal is Agent, action, resource')));
  t.false(locks());
});
