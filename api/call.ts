import type { Principal } from '../contracts/principal.ts';

/** One request that was authenticated and parsed, as handlers see it. */
export interface Call {
  readonly principal: Principal;
  readonly traceId: string;
  /** Id for what the request creates, or of the request itself; the same again when it is repeated with its key. */
  readonly id: string;
  /** Names the version that is answered, as ETag. */
  readonly tag?: (etag: string) => void;
  /** Ends when the client goes away. */
  readonly signal: AbortSignal;
}

/** Id of the content that belongs to a call, derived from its id so that a repetition stores nothing twice. */
export const contentIdOf = (call: Pick<Call, 'id'>): string => `cont_${call.id.slice(call.id.indexOf('_') + 1)}`;
