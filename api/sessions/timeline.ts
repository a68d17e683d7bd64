import type { Principal } from '../../contracts/principal.ts';
import { sessionTimeline } from '../../contracts/sessions.ts';
import type { TimelineEntry } from '../../contracts/sessions.ts';
import { listAudit } from '../../db/audit.ts';
import type { AuditRow } from '../../db/audit.ts';
import { isAddressed } from '../../policy/tags.ts';
import { mount } from '../http.ts';
import type { Mounting } from '../http.ts';
import { cursorOf, iso, positionOf } from '../views.ts';
import { readableSession } from './handlers.ts';

/** Whether a reader may see a line of a timeline: lines about shards are for the shard's readers only. */
export function mayRead(reader: Principal, row: AuditRow): boolean {
  const audience = row.details['audience'];
  return !Array.isArray(audience) || isAddressed(reader, audience.map(String));
}

/** A line of the record, as timelines show it. */
export function entryOf(row: AuditRow): TimelineEntry {
  const { audience: _, ...details } = row.details;
  return {
    id: row.id,
    at: iso(row.at),
    actor: row.actor_id,
    on_behalf_of: row.on_behalf_of,
    action: row.action,
    subject: row.subject_id,
    outcome: row.outcome,
    details,
    trace_id: row.trace_id,
  };
}

/** Route of the timeline of a session. */
export function mountTimeline(mounting: Mounting): void {
  const { deps } = mounting;
  mount(mounting, sessionTimeline, async ({ session_id, limit, cursor }, call) => {
    await readableSession(deps, call, session_id);
    const after = positionOf(cursor);
    const rows = await deps.database.inOrganisation(call.principal.organisation_id, (sql) =>
      listAudit(sql, { session_id, after, ascending: true, limit: limit + 1 }),
    );
    const page = rows.slice(0, limit);
    const last = page.at(-1);
    return {
      entries: page.filter((row) => mayRead(call.principal, row)).map(entryOf),
      next_cursor: rows.length > limit && last ? cursorOf(last.position) : null,
    };
  });
}
