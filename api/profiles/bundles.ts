import type { Json } from '../../contracts/json.ts';
import { getGooseConfig, getMcpConfig, getOwnProfile, getProfileBundle } from '../../contracts/profiles.ts';
import { publicBundleKeys } from '../../directory/bundle-keys.ts';
import { signBundle } from '../../directory/bundles.ts';
import { gooseConfiguration, mcpConfiguration } from '../../directory/client-configuration.ts';
import { mount } from '../http.ts';
import type { Mounting } from '../http.ts';
import { publishedProfile } from './published.ts';

/** Routes by which agents get their profile: as it is, signed, and as configuration of their client. */
export function mountBundles(mounting: Mounting): void {
  const { router, deps } = mounting;
  // Public, as keys that are there for others to verify with have to be.
  router.get('/profiles/keys', (_req, res) => {
    res.json(publicBundleKeys(deps.publishing.keysFile));
  });

  mount(mounting, getOwnProfile, async (_, call) => {
    const { role, version, digest, profile } = await publishedProfile(deps, call, 'me');
    return { role, version, digest, profile: profile as unknown as Record<string, Json> };
  });
  mount(mounting, getProfileBundle, async ({ role: name }, call) => {
    const { role, ...published } = await publishedProfile(deps, call, name);
    const { organisation_id: organisation } = call.principal;
    return { text: await signBundle(deps.publishing.keysFile, { organisation, role, published }) };
  });
  mount(mounting, getGooseConfig, async ({ role }, call) => ({
    text: gooseConfiguration((await publishedProfile(deps, call, role)).profile, deps.publishing),
  }));
  mount(
    mounting,
    getMcpConfig,
    async ({ role }, call) =>
      mcpConfiguration((await publishedProfile(deps, call, role)).profile, deps.publishing) as unknown as {
        mcpServers: Record<string, Json>;
      },
  );
}
