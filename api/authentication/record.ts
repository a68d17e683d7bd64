import type { Json } from '../../contracts/json.ts';
import { appendAudit } from '../../db/audit.ts';
import type { Queryable } from '../../db/pool.ts';
import { newId } from '../../platform/ids.ts';

/** Something that happened to somebody's identity, before a request of theirs is under way. */
export interface IdentityEvent {
  /** e.g. `identity.signed_in`. */
  readonly action: string;
  /** Whose it is; null where nobody was found. */
  readonly user: {
    readonly id: string;
    readonly role: string;
    readonly kind?: 'user' | 'agent' | 'service';
    readonly acts_for?: string | null;
  } | null;
  readonly outcome?: 'ok' | 'denied';
  readonly details: Record<string, Json>;
  readonly traceId?: string;
  /** The same event is put on record once. */
  readonly dedupeKey?: string;
}

/** A trace id comes from whoever calls, and nobody has checked it on these routes. */
const traceOf = ({ traceId = '' }: IdentityEvent): string =>
  traceId.replaceAll(/[^\w.:-]/g, '').slice(0, 100) || newId('content');

/** Puts a sign-in, refusal, sign-out or revocation on record. */
export const recordIdentity = (sql: Queryable, event: IdentityEvent): Promise<string[]> =>
  appendAudit(sql, [
    {
      at: new Date().toISOString(),
      actor_kind: event.user ? (event.user.kind ?? 'user') : 'service',
      actor_id: event.user?.id ?? 'switchboard',
      actor_role: event.user?.role ?? null,
      on_behalf_of: event.user?.acts_for ?? null,
      action: event.action,
      subject_kind: 'identity',
      subject_id: event.user?.id ?? 'unknown',
      task_id: null,
      session_id: null,
      outcome: event.outcome ?? 'ok',
      policies: [],
      privacy: {},
      details: event.details,
      source: 'switchboard',
      category: 'identity',
      trace_id: traceOf(event),
      dedupe_key: event.dedupeKey ?? null,
    },
  ]);
