import type { Json } from '../../contracts/json.ts';
import type { Principal } from '../../contracts/principal.ts';
import { tagOf } from '../../contracts/actor.ts';
import { allowedEvents } from '../../contracts/sessions.ts';
import type { SessionView } from '../../contracts/sessions.ts';
import { approvalCounts } from '../../db/approvals.ts';
import type { Queryable } from '../../db/pool.ts';
import type { SessionRow } from '../../db/sessions.ts';
import { shardsOf } from '../../db/shards.ts';
import { taskCounts } from '../../db/tasks.ts';
import type { Resource } from '../../policy/resource.ts';
import { isAddressed } from '../../policy/tags.ts';
import type { ApiDeps } from '../deps.ts';
import { inClear, iso, isoOrNull } from '../views.ts';

interface Summary {
  readonly tasks: Record<string, number>;
  readonly approvals: Record<string, number>;
  readonly shards: string[];
}

async function summaryOf(sql: Queryable, reader: Principal, sessionId: string): Promise<Summary> {
  const shards = await shardsOf(sql, sessionId);
  return {
    tasks: await taskCounts(sql, sessionId),
    approvals: await approvalCounts(sql, sessionId),
    // A shard that the reader may not read is not even named.
    shards: shards.filter(({ readers }) => isAddressed(reader, readers.map(tagOf))).map(({ name }) => name),
  };
}

/** A session as a reader sees it. */
export async function sessionView(deps: ApiDeps, reader: Principal, row: SessionRow): Promise<SessionView> {
  const summary = await deps.database.inOrganisation(reader.organisation_id, (sql) => summaryOf(sql, reader, row.id));
  const masked = { content: row.content_masked, handoff: row.handoff_masked, reason: row.reason_masked };
  const clear = (await inClear(deps.guard, reader, masked)) as Record<keyof typeof masked, Record<string, Json> | null>;
  const { content, handoff, reason } = clear;
  return {
    id: row.id,
    session_id: row.id,
    title: (content?.['title'] ?? null) as string | null,
    agent_role: row.agent_role,
    role: row.agent_role,
    lead: row.lead,
    participants: [...row.participants],
    status: row.status,
    state: row.status,
    task_id: row.task_id,
    metadata: content?.['metadata'] ?? null,
    handoff: handoff?.['context'] ?? null,
    reason: (reason?.['reason'] ?? null) as string | null,
    ...summary,
    created_at: iso(row.created_at),
    updated_at: iso(row.updated_at),
    last_transition_at: iso(row.last_transition_at),
    paused_at: isoOrNull(row.paused_at),
    completed_at: isoOrNull(row.completed_at),
    failed_at: isoOrNull(row.failed_at),
    expires_at: iso(row.expires_at),
    trace_id: row.trace_id,
    allowed: allowedEvents(row.status),
  };
}

/** A session as policy sees it. */
export const sessionResource = (row: SessionRow): Omit<Resource, 'organisation_id'> => ({
  kind: 'session',
  owners: [`${row.creator_kind}:${row.creator_id}`],
  participants: row.participants.map(tagOf),
});
