import { z } from 'zod';

import { JsonMap } from './json.ts';
import { defineOperation } from './operation.ts';
import { Role } from './principal.ts';

const roleIn = { role: Role };
const text = z.string();

/** A profile as its YAML says; the schema is the directory's, which validates at load. */
export const ProfileView = JsonMap.meta({ type: 'object' }).describe('The profile of a role');

export const getProfile = defineOperation({
  name: 'get_profile',
  method: 'get',
  path: '/profiles/{role}',
  summary: 'The profile that configures the agents of a role.',
  input: z.strictObject(roleIn),
  output: ProfileView,
  action: 'profile:read',
  errors: ['not_found', 'forbidden'],
});

/** Text views of a profile, at the paths and in the form of older clients (COMPAT-2). */
const textView = (name: string, path: `/${string}`, summary: string) =>
  defineOperation({
    name,
    method: 'get',
    path,
    summary,
    input: z.strictObject(roleIn),
    output: z.object({ text }),
    action: 'profile:read',
    errors: ['not_found', 'forbidden'],
    textField: 'text',
  });

export const getProfileConfig = textView(
  'get_profile_config',
  '/profiles/{role}/config',
  'Model and extensions as text.',
);
export const getGooseHints = textView(
  'get_goosehints',
  '/profiles/{role}/goosehints',
  'Hints for goose, as a .goosehints file.',
);
export const getGooseIgnore = textView(
  'get_gooseignore',
  '/profiles/{role}/gooseignore',
  'Paths goose must not read, as a .gooseignore file.',
);

export const getLocalHints = defineOperation({
  name: 'get_local_hints',
  method: 'get',
  path: '/profiles/{role}/local-hints',
  summary: 'Hints for one folder.',
  input: z.strictObject({
    ...roleIn,
    path: z.string().min(1).max(500).describe('The folder, exactly as in the profile'),
  }),
  output: z.object({ text }),
  action: 'profile:read',
  errors: ['not_found', 'forbidden'],
  textField: 'text',
});

export const getRecipes = defineOperation({
  name: 'get_recipes',
  method: 'get',
  path: '/profiles/{role}/recipes',
  summary: 'The scheduled recipes of a role.',
  input: z.strictObject(roleIn),
  output: z.object({
    recipes: z.array(z.object({ name: text, description: text.optional(), schedule: text, enabled: z.boolean() })),
  }),
  action: 'profile:read',
  errors: ['not_found', 'forbidden'],
});
