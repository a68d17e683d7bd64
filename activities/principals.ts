import type { Actor } from '../contracts/actor.ts';
import { refused } from '../contracts/parse.ts';
import type { Principal, Role } from '../contracts/principal.ts';
import type { Profile } from '../directory/profile-schema.ts';
import { allowedTools } from '../directory/profiles.ts';
import type { Action } from '../policy/actions.ts';
import { authorise } from '../policy/authorise.ts';
import type { Resource } from '../policy/resource.ts';

/** An actor as policy knows it; names and clearances play no part in its rules. */
const principalOf = (organisationId: string, actor: Actor, role: Role): Principal => ({
  organisation_id: organisationId,
  kind: actor.kind,
  id: actor.id,
  name: '',
  role,
  acts_for: actor.acts_for,
  administrator: actor.administrator,
  clearance: [],
});

/** The tools that a profile allows its agents; undefined for people, who have no profile between them and the API. */
export const toolsOf = (actor: Pick<Actor, 'kind'>, profile: Profile | undefined): readonly string[] | undefined =>
  actor.kind === 'agent' && profile ? allowedTools(profile) : undefined;

/** Asks policy; throws the refusal where it says no. Answers the deciding policies. */
export function permit(
  organisationId: string,
  { actor, role }: { readonly actor: Actor; readonly role: Role },
  action: Action,
  resource: Omit<Resource, 'organisation_id'>,
): readonly string[] {
  const decision = authorise(principalOf(organisationId, actor, role), action, {
    ...resource,
    organisation_id: organisationId,
  });
  if (!decision.allow)
    throw refused({ code: 'forbidden', detail: decision.reason, facts: { policies: decision.policies } });
  return decision.policies;
}
