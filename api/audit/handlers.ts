import { actorOf } from '../../contracts/actor.ts';
import { ingestAudit, listAudit, ReportedEvent } from '../../contracts/audit.ts';
import type { AuditEvent } from '../../contracts/audit.ts';
import type { Json } from '../../contracts/json.ts';
import { appendAudit, listAudit as queryAudit } from '../../db/audit.ts';
import type { AuditRow, NewAuditEvent } from '../../db/audit.ts';
import type { Call } from '../call.ts';
import type { ApiDeps } from '../deps.ts';
import { inputError } from '../errors.ts';
import { mount } from '../http.ts';
import type { Mounting } from '../http.ts';
import { requirePermission } from '../permission.ts';
import { ApiError } from '../problem.ts';
import { cursorOf, iso, positionOf } from '../views.ts';

/** A line of the record, as administrators read it. */
export const auditView = ({ position: _, actor_id, at, ...row }: AuditRow): AuditEvent => ({
  ...row,
  actor: actor_id,
  at: iso(at),
});

/** Checks every row before any is stored; the first bad one is named. */
function parseBatch(rows: readonly unknown[]): ReportedEvent[] {
  return rows.map((row, at) => {
    const parsed = ReportedEvent.safeParse(row);
    if (parsed.success) return parsed.data;
    const { errors } = inputError(parsed.error);
    const faults = errors.map(({ pointer, detail }) => ({ pointer: `/events/${String(at)}${pointer}`, detail }));
    throw new ApiError(
      {
        code: 'invalid_batch',
        detail: `Row ${String(at)}: ${faults[0]?.pointer ?? ''}: ${faults[0]?.detail ?? ''}`,
        facts: { row: at },
      },
      faults,
    );
  });
}

async function lineOf(
  { guard }: ApiDeps,
  { principal, traceId, id }: Call,
  event: ReportedEvent,
  at: number,
): Promise<NewAuditEvent> {
  const actor = actorOf(principal);
  const words: Json = {
    metadata: event.metadata ?? null,
    content: event.content ?? null,
    subject: event.subject ?? null,
  };
  const { value, found } = await guard.mask(principal.organisation_id, words);
  const { subject, ...details } = value as { subject: string | null; metadata: Json; content: Json };
  return {
    at: event.timestamp ?? new Date().toISOString(),
    actor_kind: actor.kind,
    actor_id: actor.id,
    actor_role: actor.role,
    on_behalf_of: actor.acts_for,
    action: event.action,
    subject_kind: 'external',
    subject_id: subject ?? event.source,
    task_id: null,
    session_id: null,
    outcome: 'ok',
    policies: [],
    privacy: found,
    details,
    source: event.source,
    category: event.category,
    trace_id: event.traceId ?? traceId,
    // Without an id of its own, an event is known by the request that brought it: a repetition adds nothing.
    dedupe_key: event.id === undefined ? `${id}:${String(at)}` : `${principal.id}:${event.source}:${event.id}`,
  };
}

/** Routes that read and write events. */
export function mountAudit(mounting: Mounting): void {
  const { deps } = mounting;
  mount(
    mounting,
    ingestAudit,
    async ({ events, ...single }, call) => {
      await requirePermission(deps, call, 'audit:ingest', { kind: 'organisation' });
      if (events && Object.keys(single).length > 0)
        throw new ApiError({ code: 'invalid_input', detail: 'Send one event, or a batch in events, not both.' });
      const reported = events ? parseBatch(events) : [ReportedEvent.parse(single)];
      const lines: NewAuditEvent[] = [];
      for (const [at, event] of reported.entries()) lines.push(await lineOf(deps, call, event, at));
      const ids = await deps.database.transaction(call.principal.organisation_id, (sql) => appendAudit(sql, lines));
      return { accepted: ids.length, duplicates: lines.length - ids.length, ids };
    },
    { creates: 'audit', waits: true },
  );

  mount(mounting, listAudit, async ({ limit, cursor, sort, actor, ...filter }, call) => {
    await requirePermission(deps, call, 'audit:read', { kind: 'organisation' });
    const query = {
      ...filter,
      actor_id: actor,
      after: positionOf(cursor),
      ascending: sort === 'created',
      limit: limit + 1,
    };
    const rows = await deps.database.inOrganisation(call.principal.organisation_id, (sql) => queryAudit(sql, query));
    const page = rows.slice(0, limit);
    const last = page.at(-1);
    return { events: page.map(auditView), next_cursor: rows.length > limit && last ? cursorOf(last.position) : null };
  });
}
