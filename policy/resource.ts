import type { Role } from '../contracts/principal.ts';

/**
 * What policy needs to know of the thing acted on. Lists hold tags of principals (`principalTags`). Where an agent that
 * acts for a user made something, its `owners` name both. A list of things is the `organisation` itself.
 */
export interface Resource {
  readonly kind: 'task' | 'approval' | 'session' | 'shard' | 'notification' | 'organisation' | 'profile' | 'agent';
  readonly organisation_id: string;
  /** Who sent, requested or opened it. */
  readonly owners?: readonly string[];
  /** Who has to do it; for a notification, who got it. */
  readonly assignees?: readonly string[];
  /** To whom a task was escalated. */
  readonly managers?: readonly string[];
  /** Who takes part in the session; left out for a shard with readers of its own. */
  readonly participants?: readonly string[];
  /** Who may read it besides. */
  readonly readers?: readonly string[];
  /** The role that a task is for, or whose profile it is. */
  readonly target_role?: Role;
  /** Who may decide an approval. */
  readonly approvers?: readonly string[];
  /** Who asked for an approval. */
  readonly requester?: string;
  /** Whether agents of the approvers may decide. */
  readonly agents_may_decide?: boolean;
  /** The tools that the calling agent's profile allows; all where it is not given. */
  readonly allowed_tools?: readonly string[];
}
