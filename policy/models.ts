import type { Decision } from './authorise.ts';
import { authorise } from './authorise.ts';
import type { Subject } from './request.ts';
import type { ModelCall } from './resource.ts';

/** What a profile says of the models its role calls. */
export type ModelLimits = Pick<ModelCall, 'allowed_providers' | 'forbidden_providers' | 'local_only' | 'masks'>;

/** Which model is to be called, and which kinds of personal value the call would carry in clear. */
export type ModelChoice = Pick<ModelCall, 'provider' | 'model' | 'local' | 'data_classes'>;

/** Decides whether a caller may send a call to a model, by role (the limits of its profile) and by data class (POL-2). */
export const authoriseModelCall = (principal: Subject, choice: ModelChoice, limits: ModelLimits): Decision =>
  authorise(principal, 'model:call', {
    kind: 'model',
    organisation_id: principal.organisation_id,
    id: `${choice.provider}/${choice.model}`,
    model: { ...choice, ...limits },
  });
