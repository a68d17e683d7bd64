import { actorTag, SYSTEM } from '../../contracts/actor.ts';
import type { Actor } from '../../contracts/actor.ts';
import type { MaskedSummary } from '../../contracts/content.ts';
import type { Notice } from '../../contracts/record.ts';
import type { TaskProjection, TaskState } from '../../contracts/task-workflow.ts';
import type { TransitionDraft } from '../recorder.ts';
import { dueAt } from './clock.ts';
import { allowedNow, paused } from './state.ts';
import type { Task, TaskEvent } from './state.ts';

/** Names of the record, by what happened. */
const ACTIONS: Readonly<Record<TaskEvent['type'], string>> = {
  claim: 'task.claimed',
  progress: 'task.progressed',
  complete: 'task.completed',
  fail: 'task.failed',
  decline: 'task.declined',
  handoff: 'task.handed_off',
  cancel: 'task.cancelled',
  retry: 'task.retried',
  routed: 'task.assigned',
  lease_lost: 'task.lease_lost',
  unassigned: 'task.reassigned',
  remind: 'task.sla_reminded',
  escalate: 'task.sla_escalated',
  breach: 'task.sla_breached',
  paused: 'task.paused',
};

const iso = (milliseconds: number | null): string | null =>
  milliseconds === null ? null : new Date(milliseconds).toISOString();

const senderTag = ({ start }: Task): string => actorTag(start.sender);
const workerTag = (task: Task): string => (task.assignee ? actorTag(task.assignee) : `role:${task.role}`);

/** Who sees events of the task on /stream. */
export function taskAudience(task: Task): string[] {
  const { sender } = task.start;
  const tags = [senderTag(task), workerTag(task)];
  if (sender.acts_for !== null) tags.push(`user:${sender.acts_for}`);
  if (task.escalated_to !== null) tags.push(`user:${task.escalated_to}`);
  return [...new Set(tags)];
}

/** The row of lists and pages. */
export function taskProjection(task: Task): TaskProjection {
  const { start } = task;
  return {
    id: start.task_id,
    sender_id: start.sender.id,
    sender_kind: start.sender.kind,
    sender_role: start.sender_role,
    sender_acts_for: start.sender.acts_for,
    target: task.target,
    role: task.role,
    assignee_kind: task.assignee?.kind ?? null,
    assignee_id: task.assignee?.id ?? null,
    status: task.status,
    paused: paused(task),
    priority: start.priority,
    attempts: task.attempts,
    progress: task.progress,
    lease_until: iso(task.lease_until),
    respond_by: iso(dueAt(task.respond)),
    complete_by: iso(dueAt(task.complete)),
    sla_breached: task.breached,
    escalated_to: task.escalated_to,
    session_id: start.session_id,
    parent_task_id: start.parent_task_id,
    content: start.content,
    result: task.result,
    reason: task.reason,
    handoff: task.handoff,
    trace_id: start.trace_id,
    created_at: new Date(task.created_at).toISOString(),
    completed_at: iso(task.completed_at),
  };
}

/** Where the task stands, as updates and queries answer. */
export const taskState = (task: Task): TaskState => ({
  task_id: task.start.task_id,
  status: task.status,
  assignee: task.assignee?.id ?? null,
  attempts: task.attempts,
  lease_until: iso(task.lease_until),
  session_id: task.start.session_id,
  paused: paused(task),
  allowed: allowedNow(task),
  trace_id: task.start.trace_id,
});

const notice = (to: string, level: Notice['level'], title: string, message: string): Notice => ({
  to,
  level,
  title,
  message,
});

/** Who must be told, and what; texts name ids and states only. */
function noticesOf(task: Task, event: TaskEvent): Notice[] {
  const id = task.start.task_id;
  const sender = senderTag(task);
  const worker = workerTag(task);
  switch (event.type) {
    case 'complete':
      return [notice(sender, 'info', 'Task completed', `Task ${id} is completed. Read its result with fetch_status.`)];
    case 'fail':
      return [
        notice(sender, 'warning', 'Task failed', `Task ${id} failed. Read why with fetch_status; retry revives it.`),
      ];
    case 'decline':
      return task.status === 'declined'
        ? [notice(sender, 'warning', 'Task declined', `Task ${id} was declined. Read why with fetch_status.`)]
        : [];
    case 'cancel':
      return task.assignee
        ? [notice(worker, 'warning', 'Task cancelled', `Task ${id} was cancelled; stop working on it.`)]
        : [];
    case 'lease_lost':
      return task.status === 'stalled'
        ? [
            notice(
              sender,
              'warning',
              'Task stalled',
              `Task ${id} lost its lease ${String(task.attempts)} times and is parked; retry revives it.`,
            ),
          ]
        : [];
    case 'unassigned':
      return event.reassignment.because === 'silent' || event.reassignment.because === 'draining'
        ? []
        : [notice(sender, 'info', 'Task moved on', `Whoever had task ${id} cannot do it any more; it moves on.`)];
    case 'remind':
      return [notice(worker, 'warning', 'Task waits for you', `Task ${id} should have been claimed by now.`)];
    case 'escalate':
      return event.to === null
        ? []
        : [
            notice(
              `user:${event.to}`,
              'critical',
              'Task escalated to you',
              `Nobody claimed task ${id} in time; claim it or hand it off.`,
            ),
          ];
    case 'breach':
      return [...new Set([sender, worker])].map((to) =>
        notice(to, 'critical', 'Task is late', `Task ${id} was not completed within the promised time.`),
      );
    default:
      return [];
  }
}

const actorIn = (event: TaskEvent): Actor => ('actor' in event ? event.actor : SYSTEM);
const actionOf = (task: Task, event: TaskEvent): string => {
  if (event.type === 'paused' && !event.paused) return 'task.resumed';
  if (event.type === 'lease_lost' && task.status === 'stalled') return 'task.stalled';
  return ACTIONS[event.type];
};

function eventOf(task: Task, action: string, actor: Actor): TransitionDraft['event'] {
  return {
    action,
    actor,
    on_behalf_of: null,
    subject: { kind: 'task', id: task.start.task_id },
    outcome: action === 'task.failed' || action === 'task.stalled' ? 'failed' : 'ok',
    task_id: task.start.task_id,
    session_id: task.start.session_id,
    policies: [],
    privacy: {},
    details: { status: task.status, assignee: task.assignee?.id ?? null },
  };
}

/** The line for a task that came into being. */
export function admissionRecord(task: Task, policies: readonly string[], masked: MaskedSummary): TransitionDraft {
  const event = eventOf(task, 'task.sent', task.start.sender);
  const details = { ...event.details, target: task.target, role: task.role, because: task.because };
  return {
    trace_id: task.start.trace_id,
    event: {
      ...event,
      details,
      policies: [...policies],
      privacy: Object.fromEntries(masked.map(({ type, count }) => [type, count])),
    },
    projection: { kind: 'task', row: taskProjection(task) },
    audience: taskAudience(task),
    notices: [],
  };
}

/** The line for a change of a task; `before` still sees that the task left it. */
export function changeRecord(before: Task, task: Task, event: TaskEvent): TransitionDraft {
  const action = actionOf(task, event);
  const line = eventOf(task, action, actorIn(event));
  const told = event.type === 'cancel' ? before : task;
  return {
    trace_id: 'trace_id' in event ? event.trace_id : task.start.trace_id,
    event: { ...line, details: { ...line.details, ...detailsOf(task, event) } },
    projection: { kind: 'task', row: taskProjection(task) },
    audience: [...new Set([...taskAudience(before), ...taskAudience(task)])],
    notices: noticesOf(told, event),
  };
}

function detailsOf(task: Task, event: TaskEvent): Record<string, string | number | null> {
  switch (event.type) {
    case 'handoff':
      return { target: event.target };
    case 'routed':
      return { because: event.admission.because };
    case 'escalate':
      return { escalated_to: event.to };
    case 'lease_lost':
      return { attempts: task.attempts };
    case 'unassigned':
      return { because: event.reassignment.because, target: task.target };
    case 'paused':
      return { by: event.by };
    default:
      return {};
  }
}

/** The line for a task that policy refused: no task comes to exist, the attempt is on record. */
export const refusalRecord = (start: Task['start'], code: string): TransitionDraft => ({
  trace_id: start.trace_id,
  event: {
    action: 'task.refused',
    actor: start.sender,
    on_behalf_of: null,
    subject: { kind: 'task', id: start.task_id },
    outcome: 'denied',
    task_id: start.task_id,
    session_id: null,
    policies: [],
    privacy: {},
    details: { target: start.target, code },
  },
  audience: [],
  notices: [],
});
