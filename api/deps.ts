import type { Client } from '@temporalio/client';
import type { Logger } from 'pino';

import type { Role } from '../contracts/principal.ts';
import type { Database } from '../db/pool.ts';
import type { Profile } from '../directory/profile-schema.ts';
import type { Envelope } from '../privacy/envelope.ts';
import type { Guard } from '../privacy/guard.ts';
import type { Feed } from './stream/feed.ts';

/** What the API works with; given once, where the process is composed. */
export interface ApiDeps {
  readonly database: Database;
  readonly client: Client;
  readonly taskQueue: string;
  readonly guard: Guard;
  readonly envelope: Envelope;
  readonly profiles: ReadonlyMap<Role, Profile>;
  readonly feed: Feed;
  readonly log: Logger;
}
