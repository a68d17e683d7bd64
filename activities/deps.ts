import type { Role } from '../contracts/principal.ts';
import type { Database } from '../db/pool.ts';
import type { Profile } from '../directory/profile-schema.ts';
import type { Recipes } from '../directory/recipes.ts';
import type { Envelope } from '../privacy/envelope.ts';
import type { Guard } from '../privacy/guard.ts';

/** What activities work with; given once, where the worker is composed. */
export interface ActivityDeps {
  readonly database: Database;
  readonly guard: Guard;
  readonly envelope: Envelope;
  readonly profiles: ReadonlyMap<Role, Profile>;
  readonly recipes: Recipes;
  /** Whether webhooks may go to addresses of private networks. */
  readonly allowPrivateWebhooks: boolean;
}
