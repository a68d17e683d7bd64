import type { EntityType, Role } from '../contracts/principal.ts';

/** What can be acted on. */
export const RESOURCE_KINDS = [
  'task',
  'approval',
  'session',
  'shard',
  'notification',
  'organisation',
  'profile',
  'recipe',
  'agent',
  'sign_in',
  'model',
] as const;
export type ResourceKind = (typeof RESOURCE_KINDS)[number];

/** A language model that is about to be called, and what the caller's profile says of such calls. */
export interface ModelCall {
  readonly provider: string;
  readonly model: string;
  /** Whether it runs on the organisation's own machines. */
  readonly local: boolean;
  /** Kinds of personal value that the call would carry in clear, after masking. */
  readonly data_classes: readonly EntityType[];
  readonly allowed_providers: readonly string[];
  readonly forbidden_providers: readonly string[];
  readonly local_only: boolean;
  /** Whether the profile masks what leaves the machine. */
  readonly masks: boolean;
}

/**
 * What policy needs to know of the thing acted on. Lists hold tags of principals (`principalTags`). Where an agent that
 * acts for a user made something, its `owners` name both. A list of things is the `organisation` itself.
 */
export interface Resource {
  readonly kind: ResourceKind;
  readonly organisation_id: string;
  /** Its id, where it has one: policies of an organisation may name single things. */
  readonly id?: string;
  /** Who sent, requested or opened it; the user an agent acts for; whose sign-in it is. */
  readonly owners?: readonly string[];
  /** Who has to do it; for a notification, who got it. */
  readonly assignees?: readonly string[];
  /** To whom a task was escalated. */
  readonly managers?: readonly string[];
  /** Who takes part in the session; left out for a shard with readers of its own. */
  readonly participants?: readonly string[];
  /** Who may read it besides. */
  readonly readers?: readonly string[];
  /** The role that a task is for, or whose profile or recipe it is. */
  readonly target_role?: Role;
  /** Who may decide an approval. */
  readonly approvers?: readonly string[];
  /** Who asked for an approval. */
  readonly requester?: string;
  /** Whether agents of the approvers may decide. */
  readonly agents_may_decide?: boolean;
  /** The tools that the calling agent's profile allows; all where it is not given. */
  readonly allowed_tools?: readonly string[];
  /** Kinds of personal value that are to be shown in clear. */
  readonly data_classes?: readonly EntityType[];
  /** What is called, for a model. */
  readonly model?: ModelCall;
}
