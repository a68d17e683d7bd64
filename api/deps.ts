import type { Client } from '@temporalio/client';
import type { Logger } from 'pino';

import type { Role } from '../contracts/principal.ts';
import type { Jwks } from '../db/audit/keys.ts';
import type { Database } from '../db/pool.ts';
import type { ClientAddresses } from '../directory/client-configuration.ts';
import type { ProfilesOf } from '../directory/organisation-profiles.ts';
import type { Profile } from '../directory/profile-schema.ts';
import type { Recipes } from '../directory/recipes.ts';
import type { Envelope } from '../privacy/envelope.ts';
import type { Guard } from '../privacy/guard.ts';
import type { PurposeKeys } from '../privacy/key-ring.ts';
import type { ClaimStore } from '../temporal/claims.ts';
import type { Identity } from './authentication/identity.ts';
import type { Limits } from './limits/limits.ts';
import type { Feed } from './stream/feed.ts';

/** Where profile bundles get their signature, and what rendered configurations point to. */
export interface ProfilePublishing extends ClientAddresses {
  readonly keysFile: string;
}

/** What the API works with; given once, where the process is composed. */
export interface ApiDeps {
  readonly database: Database;
  readonly client: Client;
  readonly taskQueue: string;
  readonly guard: Guard;
  readonly envelope: Envelope;
  /** The profiles of the release. */
  readonly profiles: ReadonlyMap<Role, Profile>;
  readonly recipes: Recipes;
  /** The profiles of an organisation: what callers and their work are held to. */
  readonly profilesOf: ProfilesOf;
  /** Has them read again: called before somebody is told that they changed, who will ask at once. */
  readonly forgetProfiles?: (organisationId: string) => void;
  readonly feed: Feed;
  readonly limits: Limits;
  /** Tokens, sessions and keys of callers. */
  readonly identity: Identity;
  /** Public keys of the record's checkpoints. */
  readonly auditKeys: () => Jwks;
  /** How profiles are published: the file of keys that sign them, and the addresses written into configurations. */
  readonly publishing: ProfilePublishing;
  /** Keys and large payloads of workflow histories, for the codec endpoint. */
  readonly historyKeys: PurposeKeys;
  readonly claims: ClaimStore;
  /** Origins of the Temporal Web UI that may ask the codec endpoint. */
  readonly codecOrigins: readonly string[];
  readonly log: Logger;
}
