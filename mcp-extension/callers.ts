import { toolOperations } from '../contracts/index.ts';
import type { Operation } from '../contracts/operation.ts';
import type { Logger } from '../platform/log.ts';
import { createApiClient } from './api-client.ts';
import { asTheyAre } from './credentials.ts';
import type { Credentials } from './credentials.ts';
import { PROFILE_URI } from './events/resource-uris.ts';
import type { EventStreams } from './events/streams.ts';
import { limitByProfile } from './profile-tools.ts';
import type { SwitchboardServerOptions } from './server.ts';

/** The keys that a client presents: its own, and that of the person at it. */
export interface CallerKeys {
  readonly key: string | undefined;
  readonly approverKey?: string | undefined;
}

/** What all servers of a process share. */
export interface CallerOptions {
  readonly apiUrl: string;
  readonly log: Pick<Logger, 'error'>;
  readonly streams: EventStreams;
  /** What the API is called with for a caller's key; the key itself unless given. */
  readonly credentials?: Credentials;
  readonly tools?: readonly Operation[];
  /** Whether the person at a client may be asked to decide; nobody is asked unless told. */
  readonly elicitation?: boolean;
  readonly timeoutMs?: number;
  readonly retries?: number;
}

/** What a server for these keys is made of. */
export type ServerOptionsFor = (keys: CallerKeys) => Omit<SwitchboardServerOptions, 'era'>;

/** Prepares servers for callers: the API with their keys, their tools, their events. */
export function prepareCallers(options: CallerOptions): ServerOptionsFor {
  const {
    apiUrl: baseUrl,
    log,
    streams,
    tools = toolOperations,
    elicitation,
    timeoutMs = 30_000,
    retries = 2,
    credentials = asTheyAre,
  } = options;
  const limited = limitByProfile(tools);
  streams.watch((key, changed) => {
    if (changed === 'all' || changed.includes(PROFILE_URI)) limited.forget(key);
  });
  return ({ key, approverKey }) => {
    const call = createApiClient({ baseUrl, key, credentials, timeoutMs, retries });
    // Without a key of the person's own the client's key may be a person's; an agent's is never asked.
    const person =
      approverKey === undefined ? call : createApiClient({ baseUrl, key: approverKey, timeoutMs, retries });
    // A list is answered soon or not at all: no further attempts.
    const once = createApiClient({ baseUrl, key, credentials, timeoutMs, retries: 0 });
    return {
      call,
      key,
      person: elicitation === true ? person : undefined,
      toolsFor: (listing) => (listing ? limited.listed(once, key) : limited.callable(key)),
      follow: streams.of(key),
      log,
    };
  };
}
