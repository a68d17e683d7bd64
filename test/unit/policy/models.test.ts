import test from 'ava';

import type { EntityType, Principal, Role } from '../../../contracts/principal.ts';
import { modelLimits } from '../../../directory/model-limits.ts';
import { loadProfiles } from '../../../directory/profiles.ts';
import { authoriseModelCall } from '../../../policy/models.ts';

const profiles = loadProfiles('profiles');

function decide(
  role: Role,
  provider: string,
  { local = false, data = [] as EntityType[], more = {}, clearance = undefined as EntityType[] | undefined } = {},
) {
  const profile = profiles.get(role);
  if (!profile) throw new Error(`there is no profile of ${role}`);
  const caller: Principal = {
    organisation_id: 'org',
    kind: 'agent',
    id: 'agent',
    name: 'agent',
    role,
    acts_for: null,
    administrator: false,
    clearance: clearance ?? profile.privacy.clearance,
  };
  const choice = { provider, model: 'any', local, data_classes: data };
  const { allow, policies } = authoriseModelCall(caller, choice, { ...modelLimits(profile), ...more });
  return allow ? 'allowed' : policies.join(' ') || 'not permitted';
}

test('POL-2: a role calls the providers of its profile, and no others', (t) => {
  t.is(decide('finance', 'anthropic'), 'allowed');
  t.is(decide('finance', 'openrouter'), 'not permitted');
  t.is(decide('finance', 'anthropic', { more: { forbidden_providers: ['anthropic'] } }), 'profiles-forbid-providers');
});

test('POL-2: a profile that stays on own machines calls no model elsewhere, with or without personal data', (t) => {
  t.is(decide('legal', 'ollama', { local: true }), 'allowed');
  t.is(decide('legal', 'ollama'), 'profiles-keep-models-local');
  t.is(decide('legal', 'ollama', { local: true, data: ['ssn', 'iban'] }), 'allowed');
});

test('POL-2: personal data in clear leaves for nobody whose profile masks, and never beyond the clearance', (t) => {
  t.is(decide('finance', 'anthropic', { data: ['iban'] }), 'personal-data-leaves-masked');
  t.is(decide('finance', 'anthropic', { data: ['iban'], more: { masks: false } }), 'allowed');
  t.is(decide('finance', 'anthropic', { data: ['ssn'], more: { masks: false } }), 'models-see-no-more-than-the-caller');
  t.is(decide('legal', 'ollama', { local: true, data: ['card'] }), 'models-see-no-more-than-the-caller');
  t.is(
    decide('finance', 'anthropic', { data: ['iban'], more: { masks: false }, clearance: [] }),
    'models-see-no-more-than-the-caller',
  );
});
