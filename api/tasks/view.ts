import type { Json } from '../../contracts/json.ts';
import type { Principal } from '../../contracts/principal.ts';
import { allowedVerbs } from '../../contracts/tasks.ts';
import type { TaskView } from '../../contracts/tasks.ts';
import type { TaskRow } from '../../db/tasks.ts';
import type { Resource } from '../../policy/resource.ts';
import type { ApiDeps } from '../deps.ts';
import { inClear, iso, isoOrNull, maskedSummary } from '../views.ts';

type Masked = Readonly<Record<string, Json>>;

/** Tasks as a reader sees them: one look-up of pseudonyms for all of them. */
export async function taskViews(
  { guard, profilesOf }: ApiDeps,
  reader: Principal,
  rows: readonly TaskRow[],
): Promise<TaskView[]> {
  const masked = rows.map(({ content_masked, result_masked, reason_masked, handoff_masked }) => ({
    content: content_masked as Masked | null,
    result: result_masked as Masked | null,
    reason: reason_masked as Masked | null,
    handoff: handoff_masked as Masked | null,
  }));
  const clear = await inClear(guard, reader, masked);
  const profiles = await profilesOf(reader.organisation_id);
  return rows.flatMap((row, at) => {
    const texts = clear[at];
    return texts ? [taskView(row, texts, profiles.get(row.role)?.privacy.clearance ?? [])] : [];
  });
}

type Texts = Record<'content' | 'result' | 'reason' | 'handoff', Masked | null>;

function taskView(row: TaskRow, texts: Texts, clearance: Principal['clearance']): TaskView {
  const { content, result, reason, handoff } = texts;
  const context = content?.['context'] ?? null;
  return {
    id: row.id,
    task_id: row.id,
    task_type: textOf(content?.['type']) ?? 'task',
    title: textOf(content?.['title']) ?? '',
    description: textOf(content?.['description']),
    data: content?.['data'] ?? null,
    context: handoff === null ? context : { ...(isMap(context) ? context : {}), handoff },
    source: row.sender_id,
    target: row.target,
    role: row.role,
    assignee: row.assignee_id,
    status: row.status,
    paused: row.paused,
    reason: textOf(reason?.['reason']) ?? stalledBecause(row),
    result: result?.['result'] ?? null,
    progress: row.progress,
    priority: row.priority,
    attempts: row.attempts,
    lease_until: isoOrNull(row.lease_until),
    respond_by: isoOrNull(row.respond_by),
    complete_by: isoOrNull(row.complete_by),
    sla_breached: row.sla_breached,
    escalated_to: row.escalated_to,
    session_id: row.session_id,
    parent_task_id: row.parent_task_id,
    output_schema: (content?.['output_schema'] ?? null) as TaskView['output_schema'],
    masked: maskedSummary(row.content_found, clearance),
    trace_id: row.trace_id,
    created_at: iso(row.created_at),
    updated_at: iso(row.updated_at),
    completed_at: isoOrNull(row.completed_at),
    allowed: allowedVerbs(row.status).filter((verb) => verb !== 'claim' || !row.paused),
  };
}

// Only lost leases park a task; nobody gave words for it.
const stalledBecause = ({ status, attempts }: TaskRow): string | null =>
  status === 'stalled' ? `Its claim ran out without a sign of progress, ${String(attempts)} times in all.` : null;

const isMap = (value: Json): value is Record<string, Json> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const textOf = (value: Json | undefined): string | null => (typeof value === 'string' ? value : null);

/** A task as policy sees it. */
export function taskResource(row: TaskRow): Omit<Resource, 'organisation_id'> {
  const owners = [`${row.sender_kind}:${row.sender_id}`];
  if (row.sender_acts_for !== null) owners.push(`user:${row.sender_acts_for}`);
  const assignees = row.assignee_kind === null ? [] : [`${row.assignee_kind}:${String(row.assignee_id)}`];
  const managers = row.escalated_to === null ? [] : [`user:${row.escalated_to}`];
  return { kind: 'task', owners, assignees: [...assignees, ...managers], managers, target_role: row.role };
}
