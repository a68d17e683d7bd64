import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import test from 'ava';

import { ROLES } from '../../../contracts/principal.ts';
import { demoOrganisation } from '../../../directory/demo-organisation.ts';
import { managerChain } from '../../../directory/manager-chain.ts';
import { SWITCHBOARD_TOOLS } from '../../../directory/profile-schema.ts';
import { allowedTools, loadProfiles, ProfileFaults } from '../../../directory/profiles.ts';

const FOLDER = 'profiles';
const profiles = loadProfiles(FOLDER);
const scratch = mkdtempSync(path.join(tmpdir(), 'switchboard-profiles-'));
test.after.always(() => {
  rmSync(scratch, { recursive: true });
});

/** A copy of the profiles with one text replaced. */
function faultsWith(file: string, from: string | RegExp, to: string): readonly string[] {
  const folder = mkdtempSync(path.join(scratch, 'case-'));
  cpSync(FOLDER, folder, { recursive: true });
  const text = readFileSync(path.join(folder, file), 'utf8');
  writeFileSync(path.join(folder, file), text.replace(from, to));
  try {
    loadProfiles(folder);
  } catch (error) {
    if (error instanceof ProfileFaults) return error.faults;
    throw error;
  }
  return [];
}

test('DIR-3: there is a valid profile for each of the eight roles', (t) => {
  t.deepEqual([...profiles.keys()].sort(), [...ROLES]);
  for (const profile of profiles.values()) {
    t.true(allowedTools(profile).includes('send_task'), profile.role);
    t.true(profile.skills.length > 0 && profile.recipes.length > 0, profile.role);
  }
});

test('DIR-3: an extension that names no tools has all of them; a missing or disabled one has none', (t) => {
  const [profile] = profiles.values();
  if (!profile) return t.fail('there is no profile');
  const tools = (extensions: typeof profile.extensions) => allowedTools({ ...profile, extensions });
  t.deepEqual(tools([{ name: 'switchboard', enabled: true }]), SWITCHBOARD_TOOLS);
  t.deepEqual(tools([{ name: 'switchboard', enabled: true, tools: ['notify'] }]), ['notify']);
  t.deepEqual(tools([{ name: 'switchboard', enabled: true, tools: [] }]), []);
  t.deepEqual(tools([{ name: 'switchboard', enabled: false }]), []);
  t.deepEqual(tools([]), []);
});

test('DIR-3: clearances and limits are those of the roles', (t) => {
  const clearances = [...profiles.values()].map(({ role, privacy }) => `${role}: ${privacy.clearance.join(' ')}`);
  t.deepEqual(clearances.sort(), [
    'analyst: ',
    'developer: ',
    'finance: email phone card iban',
    'hr: email phone ssn',
    'legal: email phone ssn iban',
    'manager: email',
    'marketing: email',
    'support: email phone',
  ]);
  t.is(profiles.get('finance')?.approvals.limit, 10_000);
  t.is(profiles.get('manager')?.approvals.limit, 50_000);
  t.like(profiles.get('legal'), { privacy: { local_only: true, retention_days: 0 } });
});

test('DIR-3: a faulty profile is refused with file and path', (t) => {
  t.deepEqual(faultsWith('hr.yaml', 'provider: anthropic', 'provider: elsewhere'), [
    'hr.yaml: providers.primary.provider: is not an allowed provider: elsewhere',
  ]);
  t.deepEqual(faultsWith('hr.yaml', '- notify', '- steal'), ['hr.yaml: extensions.0.tools: has no tool steal']);
  t.deepEqual(faultsWith('hr.yaml', "'0 9 * * 1'", "'weekly'"), [
    'hr.yaml: recipes.0.schedule: is not a cron schedule of five fields',
  ]);
  t.deepEqual(faultsWith('hr.yaml', 'role: hr', 'role: legal'), ['hr.yaml: role: is legal, but the file is named hr']);
  t.regex(faultsWith('hr.yaml', 'clearance: [', 'clearance: [name, ')[0] ?? '', /^hr\.yaml: privacy\.clearance\.0: /);
  t.regex(faultsWith('hr.yaml', 'display_name', 'nickname').join(), /hr\.yaml: display_name: .*nickname/);
  t.regex(faultsWith('hr.yaml', /^role:/m, '{').join(), /hr\.yaml: is not YAML/);
});

test('DIR-3: a missing profile is named', (t) => {
  const folder = mkdtempSync(path.join(scratch, 'empty-'));
  t.is(t.throws(() => loadProfiles(folder), { instanceOf: ProfileFaults }).faults.length, ROLES.length);
});

test('DIR-1: the demo organisation has people of one tree and an agent a role', (t) => {
  const { people, agents } = demoOrganisation(FOLDER, profiles);
  t.is(people.length, 12);
  t.deepEqual(
    people.filter(({ administrator }) => administrator).map(({ title }) => title),
    ['Chief Executive'],
  );
  const managers = new Map(people.map(({ user_id, reports_to_id }) => [user_id, reports_to_id]));
  const analyst = people.find(({ role }) => role === 'analyst');
  t.is(managerChain((id) => managers.get(id), analyst?.user_id ?? '').length, 3);
  t.deepEqual(
    agents.map(({ name }) => name),
    ROLES.map((role) => `${role}-agent`),
  );
  t.deepEqual(agents.find(({ role }) => role === 'finance')?.skills, profiles.get('finance')?.skills);
});

test('DIR-3: every profile says what its role meets, how it is found, and which tasks run by themselves', (t) => {
  for (const { role, privacy, automated_tasks, recipes, extensions } of profiles.values()) {
    t.true(privacy.rules.length > 0 && privacy.pii_categories.length > 0, role);
    t.true(automated_tasks.length > 0 && recipes.length === 3, role);
    t.true(
      extensions.some(({ name }) => name === 'switchboard'),
      role,
    );
    const kinds = privacy.rules.map(({ category }) => category ?? '');
    t.true(
      kinds.every((kind) => privacy.pii_categories.includes(kind) || kind === 'PRIVILEGE'),
      role,
    );
  }
  const found = (role: 'finance' | 'legal', text: string): string | undefined =>
    profiles.get(role)?.privacy.rules.find(({ pattern }) => new RegExp(pattern, 'u').test(text))?.category;
  t.is(found('finance', 'SSN 123-45-6789'), 'SSN');
  t.is(found('finance', 'net pay: $4,200.00'), 'COMPENSATION');
  t.is(found('finance', 'routing no. 021000021'), 'BANK_ROUTING');
  t.is(found('legal', 'case no. AB-2030-17'), 'CASE_NUMBER');
  t.is(found('finance', 'nothing personal in 12 words'), undefined);
});

test('DIR-3: an automated task of no recipe, and a pattern that is none, are refused', (t) => {
  t.deepEqual(faultsWith('hr.yaml', 'recipe: monthly-compliance', 'recipe: elsewhere'), [
    'hr.yaml: automated_tasks.0.recipe: is none of the recipes: elsewhere',
  ]);
  t.regex(
    faultsWith('hr.yaml', "pattern: '", "pattern: '(").join(),
    /hr\.yaml: privacy\.rules\.0\.pattern: is not a regular expression/,
  );
});
