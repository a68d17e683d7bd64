import { actorOf } from '../contracts/actor.ts';
import type { Json } from '../contracts/json.ts';
import { appendAudit } from '../db/audit.ts';
import type { Queryable } from '../db/pool.ts';
import type { Call } from './call.ts';

export interface ApiEvent {
  readonly action: string;
  readonly kind: string;
  readonly id: string;
  readonly task_id?: string | null;
  readonly session_id?: string | null;
  readonly outcome?: string;
  readonly policies?: readonly string[];
  readonly privacy?: Readonly<Record<string, number>>;
  readonly details: Record<string, Json>;
}

/** Puts on record what the API did itself, without a workflow; in the same transaction as what it did. */
export const recordEvent = (sql: Queryable, { principal, traceId }: Call, event: ApiEvent): Promise<string[]> => {
  const actor = actorOf(principal);
  return appendAudit(sql, [
    {
      at: new Date().toISOString(),
      actor_kind: actor.kind,
      actor_id: actor.id,
      actor_role: actor.role,
      on_behalf_of: actor.acts_for,
      action: event.action,
      subject_kind: event.kind,
      subject_id: event.id,
      task_id: event.task_id ?? null,
      session_id: event.session_id ?? null,
      outcome: event.outcome ?? 'ok',
      policies: event.policies ?? [],
      privacy: event.privacy ?? {},
      details: { ...event.details, ...(actor.via && { via: actor.via }) },
      source: 'switchboard',
      category: event.kind,
      trace_id: traceId,
      dedupe_key: null,
    },
  ]);
};
