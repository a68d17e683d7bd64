import type { Database } from '../db/pool.ts';
import type { ProfilesOf } from '../directory/organisation-profiles.ts';
import type { Recipes } from '../directory/recipes.ts';
import type { Envelope } from '../privacy/envelope.ts';
import type { Guard } from '../privacy/guard.ts';

/** What activities work with; given once, where the worker is composed. */
export interface ActivityDeps {
  readonly database: Database;
  readonly guard: Guard;
  readonly envelope: Envelope;
  /** The profiles of an organisation. Ask before a connection is taken: it may need one itself. */
  readonly profilesOf: ProfilesOf;
  readonly recipes: Recipes;
  /** Whether webhooks may go to addresses of private networks. */
  readonly allowPrivateWebhooks: boolean;
}
