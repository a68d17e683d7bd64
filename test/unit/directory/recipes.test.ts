import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';

import test from 'ava';

import { loadProfiles, ProfileFaults } from '../../../directory/profiles.ts';
import { loadRecipes } from '../../../directory/recipes.ts';

const root = path.resolve(import.meta.dirname, '../../..');
const profiles = loadProfiles(path.join(root, 'profiles'));

test('DIR-5: every recipe of the eight profiles is there, asks nobody, and says what its result looks like', (t) => {
  const recipes = loadRecipes(root, profiles);
  const named = [...profiles.values()].flatMap((profile) => profile.recipes);
  t.is(recipes.size, 24);
  t.is(named.length, 24);
  for (const { path: file } of named) t.truthy(recipes.get(file)?.response?.json_schema['required'], file);
});

test('DIR-5: faults of recipe files are told all at once, with file and place', (t) => {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'switchboard-recipes-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const finance = profiles.get('finance');
  if (!finance) throw new Error('There is no finance.');
  const good = 'version: 1.0.0\ntitle: T\ndescription: D\nprompt: Do it.\n';
  const files: Record<string, string> = {
    'unused.yaml': `${good}parameters: [{ key: as_of, input_type: string, requirement: required, description: d }]\n`,
    'unknown.yaml': good.replace('Do it.', "'Do it on {{ day }}.'"),
    'asks.yaml': `${good.replace('Do it.', "'{{ who }}'")}parameters: [{ key: who, input_type: string, requirement: user_prompt, description: d }]\n`,
    'broken.yaml': 'title: [',
    'extra.yaml': `${good}extensions: []\n`,
  };
  for (const [name, text] of Object.entries(files)) writeFileSync(path.join(folder, name), text);
  const recipe = finance.recipes[0];
  const recipes = [...Object.keys(files), 'absent.yaml'].map((file, at) => ({
    ...recipe,
    name: `r${String(at)}`,
    path: file,
    description: 'd',
    schedule: '* * * * *',
    timezone: 'UTC',
    complete_within: '1d',
    enabled: true,
  }));
  const error = t.throws(() => loadRecipes(folder, new Map([['finance', { ...finance, recipes }]])), {
    instanceOf: ProfileFaults,
  });
  const faults = error.faults.join('\n');
  for (const wanted of [
    'unused.yaml: parameters.0: is not used: as_of',
    'unknown.yaml: parameters: says nothing of day, which is used',
    'asks.yaml: parameters.0: asks a person, and nobody is there',
    'broken.yaml: is not YAML',
    'extra.yaml: (top): Unrecognized key',
    'absent.yaml: cannot be read',
  ])
    t.true(faults.includes(wanted), `${wanted} in\n${faults}`);
});
