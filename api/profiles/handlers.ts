import type { Json } from '../../contracts/json.ts';
import type { Role } from '../../contracts/principal.ts';
import {
  getGooseHints,
  getGooseIgnore,
  getLocalHints,
  getProfile,
  getProfileConfig,
  getRecipes,
} from '../../contracts/profiles.ts';
import type { Profile } from '../../directory/profile-schema.ts';
import type { Call } from '../call.ts';
import type { ApiDeps } from '../deps.ts';
import { mount } from '../http.ts';
import type { Mounting } from '../http.ts';
import { notFound } from '../problem.ts';
import { mountBundles } from './bundles.ts';
import { publishedProfile } from './published.ts';
import { mountProfileVersions } from './versions.ts';

const profileOf = async (deps: ApiDeps, call: Call, role: Role): Promise<Profile> =>
  (await publishedProfile(deps, call, role)).profile;

/** Model and extensions as the text that older clients read. */
function configText({ providers: { primary }, extensions }: Profile): string {
  const lines = [`provider: ${primary.provider}`, `model: ${primary.model}`];
  if (primary.temperature !== undefined) lines.push(`temperature: ${String(primary.temperature)}`);
  lines.push('extensions:');
  for (const { name, enabled } of extensions) lines.push(`  - name: ${name}`, `    enabled: ${String(enabled)}`);
  return `${lines.join('\n')}\n`;
}

/** Routes of profiles. */
export function mountProfiles(mounting: Mounting): void {
  const { deps } = mounting;
  // Before /profiles/{role}, which would take `me` and `keys` for roles.
  mountBundles(mounting);
  mountProfileVersions(mounting);
  mount(
    mounting,
    getProfile,
    async ({ role }, call) => (await profileOf(deps, call, role)) as unknown as Record<string, Json>,
  );
  mount(mounting, getProfileConfig, async ({ role }, call) => ({
    text: configText(await profileOf(deps, call, role)),
  }));
  mount(mounting, getGooseHints, async ({ role }, call) => ({
    text: (await profileOf(deps, call, role)).goosehints.global,
  }));
  mount(mounting, getGooseIgnore, async ({ role }, call) => ({
    text: (await profileOf(deps, call, role)).gooseignore.global,
  }));
  mount(mounting, getLocalHints, async ({ role, path }, call) => {
    const { goosehints } = await profileOf(deps, call, role);
    const template = goosehints.local_templates.find((one) => one.path === path);
    if (!template) throw notFound(`A hint for ${path}`);
    return { text: template.content };
  });
  mount(mounting, getRecipes, async ({ role }, call) => ({
    recipes: (await profileOf(deps, call, role)).recipes.map(({ name, description, schedule, enabled }) => ({
      name,
      description,
      schedule,
      enabled,
    })),
  }));
}
