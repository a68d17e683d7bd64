import test from 'ava';

import { ACTIONS } from '../../../policy/actions.ts';
import { authorise } from '../../../policy/authorise.ts';
import { RESOURCE_KINDS } from '../../../policy/resource.ts';
import type { Principal } from '../../../contracts/principal.ts';

const service = (scopes: string[], more: Partial<Principal> = {}): Principal => ({
  organisation_id: 'org_own',
  kind: 'service',
  id: 'service_okta',
  name: 'provisioning',
  role: 'support',
  acts_for: null,
  administrator: false,
  clearance: [],
  scopes,
  ...more,
});

test('IDN-1, POL-1: a service of provisioning may keep people up to date, and nothing else whatever it is asked about', (t) => {
  const mine = ['service:service_okta', 'role:support'];
  const lists = { owners: mine, assignees: mine, readers: mine, participants: mine, managers: mine, approvers: mine };
  for (const action of ACTIONS)
    for (const kind of RESOURCE_KINDS.filter((one) => one !== 'model')) {
      const asked = { kind, organisation_id: 'org_own', ...lists, target_role: 'support' as const };
      const { allow } = authorise(service(['directory:sync']), action, asked);
      t.is(allow, action === 'directory:sync' && kind === 'organisation', `${action} on ${kind}`);
    }
});

test('IDN-1, POL-1: neither another organisation, nor a service without the scope, nor being an administrator changes that', (t) => {
  const sync = (who: Principal, organisation_id = 'org_own') =>
    authorise(who, 'directory:sync', { kind: 'organisation', organisation_id }).allow;
  t.true(sync(service(['directory:sync'])));
  t.false(sync(service(['directory:sync']), 'org_other'));
  t.false(sync(service([])));
  const grand = service(['directory:sync'], { administrator: true });
  const asked = { kind: 'organisation', organisation_id: 'org_own' } as const;
  t.deepEqual(authorise(grand, 'directory:manage', asked).policies, ['provisioning-only-syncs']);
});
