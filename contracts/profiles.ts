import { z } from 'zod';

import { JsonMap } from './json.ts';
import { defineOperation } from './operation.ts';
import { Role } from './principal.ts';
import { Timestamp } from './time.ts';

const roleIn = { role: Role };
const roleOrOwn = { role: z.union([Role, z.literal('me')]).describe('A role, or me for the one that is yours') };
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

/** A profile with its place among its versions. */
export const PublishedProfileView = z.object({
  role: Role,
  version: z.number().int().describe('1 is the profile of the release; versions of the organisation count on'),
  digest: z.string().describe('sha256:… of the profile as canonical JSON'),
  profile: ProfileView,
});

export const getOwnProfile = defineOperation({
  name: 'get_own_profile',
  method: 'get',
  path: '/profiles/me',
  summary: 'The profile that an administrator assigned to you, through your role.',
  input: z.strictObject({}),
  output: PublishedProfileView,
  action: 'profile:read',
  errors: ['not_found', 'forbidden'],
});

export const getProfileBundle = defineOperation({
  name: 'get_profile_bundle',
  method: 'get',
  path: '/profiles/{role}/bundle',
  summary: 'The profile as a signed bundle (compact JWS), to verify with the keys of GET /profiles/keys.',
  input: z.strictObject(roleOrOwn),
  output: z.object({ text }),
  action: 'profile:read',
  errors: ['not_found', 'forbidden'],
  textField: 'text',
});
export const getGooseConfig = defineOperation({
  name: 'get_goose_config',
  method: 'get',
  path: '/profiles/{role}/goose',
  summary: 'The profile as a config.yaml for goose: extensions, models through the proxy, settings.',
  input: z.strictObject(roleOrOwn),
  output: z.object({ text }),
  action: 'profile:read',
  errors: ['not_found', 'forbidden'],
  textField: 'text',
});

export const getMcpConfig = defineOperation({
  name: 'get_mcp_config',
  method: 'get',
  path: '/profiles/{role}/mcp',
  summary: 'The MCP servers of the profile, in the form that MCP clients read (mcpServers).',
  input: z.strictObject(roleOrOwn),
  output: z.object({ mcpServers: JsonMap.meta({ type: 'object' }) }),
  action: 'profile:read',
  errors: ['not_found', 'forbidden'],
});

const ProfileVersion = z.object({
  role: Role,
  version: z.number().int(),
  digest: z.string(),
  restores: z.number().int().nullable().describe('The version whose content it brought back'),
  created_by: z.string().nullable().describe('null for the release'),
  created_at: Timestamp.nullable(),
});

export const setProfile = defineOperation({
  name: 'set_profile',
  method: 'put',
  path: '/admin/profiles/{role}',
  summary: 'Store a version of a role profile for your organisation; agents of the role are told within two seconds.',
  description: 'Send the profile, or restore: the number of an earlier version. With dry_run nothing is stored.',
  input: z.strictObject({
    ...roleIn,
    profile: ProfileView.optional(),
    restore: z.number().int().min(1).optional().describe('Bring back the content of this version, as a new one'),
    dry_run: z.boolean().default(false).describe('Only check'),
    expected_version: z.number().int().min(1).optional().describe('Change only this version'),
  }),
  output: ProfileVersion.extend({ dry_run: z.boolean() }),
  action: 'profile:manage',
  errors: ['forbidden', 'invalid_input', 'not_found', 'version_conflict'],
});

export const listProfileVersions = defineOperation({
  name: 'list_profile_versions',
  method: 'get',
  path: '/admin/profiles/{role}/versions',
  summary: 'Every version of a role profile, the newest first.',
  input: z.strictObject(roleIn),
  output: z.object({ versions: z.array(ProfileVersion) }),
  action: 'profile:manage',
  errors: ['forbidden'],
});
