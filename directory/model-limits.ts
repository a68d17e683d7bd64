import type { ModelLimits } from '../policy/models.ts';
import type { Profile } from './profile-schema.ts';

/** What a profile says of the models that its role calls, as policy is told (POL-2). */
export const modelLimits = ({ providers, privacy }: Profile): ModelLimits => ({
  allowed_providers: providers.allowed_providers,
  forbidden_providers: providers.forbidden_providers,
  local_only: privacy.local_only,
  masks: privacy.content_handling === 'mask' || privacy.content_handling === 'block',
});
