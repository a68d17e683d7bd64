import type { Actor } from '../../contracts/actor.ts';
import type { ErrorCode } from '../../contracts/errors.ts';
import type { Role } from '../../contracts/principal.ts';
import { allowedVerbs } from '../../contracts/task-workflow.ts';
import type {
  Admission,
  AllowedVerb,
  Reassignment,
  TaskChange,
  TaskStart,
  TaskStatus,
} from '../../contracts/task-workflow.ts';
import { dueAt, resumeClock, startClock, stopClock } from './clock.ts';
import type { Clock } from './clock.ts';

/** How long a failed, declined or stalled task can still be retried. */
export const PARKED_MS = 7 * 86_400_000;

export interface Assignee {
  readonly kind: 'agent' | 'user';
  readonly id: string;
}

/** All a task knows about itself: ids, states and times, no text. */
export interface Task {
  readonly start: TaskStart;
  readonly status: TaskStatus;
  readonly target: string;
  readonly role: Role;
  readonly assignee: Assignee | null;
  readonly because: string;
  readonly attempts: number;
  readonly lease_seconds: number;
  readonly lease_until: number | null;
  readonly declined_by: readonly string[];
  /** Who let a lease run out, since the task was last queued; absent in tasks of an earlier build. */
  readonly lost_by?: readonly string[];
  readonly respond: Clock | null;
  readonly complete: Clock | null;
  readonly reminded: boolean;
  readonly escalated_to: string | null;
  readonly breached: boolean;
  readonly pauses: readonly string[];
  readonly progress: number | null;
  readonly result: string | null;
  readonly reason: string | null;
  readonly handoff: string | null;
  readonly park_until: number | null;
  readonly created_at: number;
  readonly completed_at: number | null;
}

/** What happens to a task: what somebody asked for, and what time or others brought. */
export type TaskEvent =
  | TaskChange
  | { readonly type: 'routed'; readonly admission: Admission }
  | { readonly type: 'lease_lost' }
  | { readonly type: 'unassigned'; readonly reassignment: Reassignment }
  | { readonly type: 'remind' }
  | { readonly type: 'escalate'; readonly to: string | null }
  | { readonly type: 'breach' }
  | { readonly type: 'paused'; readonly by: string; readonly paused: boolean };

export interface TaskRefusal {
  readonly code: ErrorCode;
  readonly detail: string;
}

const PARKED: readonly TaskStatus[] = ['failed', 'declined', 'stalled'];
const ENDED: readonly TaskStatus[] = ['completed', 'cancelled'];

/** True when nothing can happen to the task any more. */
export const ended = (task: Task): boolean => ENDED.includes(task.status);
/** True while the work is held because something it belongs to is paused. */
export const paused = (task: Task): boolean => task.pauses.length > 0;

/** What can be done with a task now, whoever asks: while it is paused, nobody claims it. */
export const allowedNow = (task: Task): AllowedVerb[] =>
  allowedVerbs(task.status).filter((verb) => verb !== 'claim' || !paused(task));

/** A task as it comes into being, once it was admitted. */
export function admittedTask(start: TaskStart, admission: Admission, now: number): Task {
  const held = admission.pauses.length > 0;
  const clock = (seconds: number | null) => (seconds === null ? null : startClock(seconds, now, held));
  return {
    start,
    status: 'pending',
    target: start.target,
    role: admission.role,
    assignee: admission.assignee,
    because: admission.because,
    attempts: 0,
    lease_seconds: start.lease_seconds,
    lease_until: null,
    declined_by: [],
    respond: clock(start.respond_seconds),
    complete: clock(start.complete_seconds),
    reminded: false,
    escalated_to: null,
    breached: false,
    pauses: admission.pauses,
    progress: null,
    result: null,
    reason: null,
    handoff: null,
    park_until: null,
    created_at: now,
    completed_at: null,
  };
}

const is = (actor: Actor, who: Assignee | null): boolean =>
  who !== null && (actor.id === who.id || (who.kind === 'user' && actor.acts_for === who.id));
const sent = (task: Task, { id, kind, acts_for }: Actor): boolean =>
  id === task.start.sender.id ||
  (kind === 'user' && id === task.start.sender.acts_for) ||
  acts_for === task.start.sender.id;
const manages = (task: Task, actor: Actor): boolean => task.escalated_to !== null && actor.id === task.escalated_to;
const mayTake = (task: Task, actor: Actor): boolean =>
  task.assignee === null ? actor.role === task.role && !task.declined_by.includes(actor.id) : is(actor, task.assignee);

const AUTHORITY: Readonly<Record<AllowedVerb, (task: Task, actor: Actor) => boolean>> = {
  claim: (task, actor) => mayTake(task, actor) || manages(task, actor),
  progress: (task, actor) => is(actor, task.assignee),
  complete: (task, actor) => is(actor, task.assignee),
  fail: (task, actor) => is(actor, task.assignee),
  decline: mayTake,
  handoff: (task, actor) => is(actor, task.assignee) || manages(task, actor) || actor.administrator,
  cancel: (task, actor) => sent(task, actor) || manages(task, actor) || actor.administrator || actor.kind === 'service',
  retry: (task, actor) => sent(task, actor) || manages(task, actor) || actor.administrator,
};

/** Why a change is not possible for this actor in this state; undefined where it is. */
export function refusalOf(task: Task, change: TaskChange): TaskRefusal | undefined {
  if (!allowedVerbs(task.status).includes(change.type))
    return { code: 'illegal_transition', detail: `The task is ${task.status}; ${change.type} is not possible.` };
  if (change.type === 'claim' && paused(task))
    return {
      code: 'illegal_transition',
      detail: `The task is paused by ${task.pauses.join(', ')}; claim it after the pause.`,
    };
  if (!AUTHORITY[change.type](task, change.actor))
    return { code: 'forbidden', detail: `You are not the one who may ${change.type} this task.` };
  return undefined;
}

/** Whether a task is with one of those who cannot do it any more, or was sent to them by name. */
export function isTakenFrom(task: Task, { from, because, keeps_role }: Reassignment): boolean {
  if (ended(task) || task.role === keeps_role) return false;
  const named = from.includes(task.target);
  // Who is held back from new work finishes what was begun, and keeps what was meant for it alone.
  if (because === 'draining' && (named || task.status !== 'pending')) return false;
  return named || (task.assignee !== null && from.includes(task.assignee.id));
}

const release = { assignee: null, lease_until: null, progress: null } as const;
const parked = (now: number) => ({ lease_until: null, park_until: now + PARKED_MS }) as const;

/** Ends the clock that waits for somebody to claim; it starts anew when the task must be claimed again. */
const waitAgain = (task: Task, now: number) => ({
  respond: task.start.respond_seconds === null ? null : startClock(task.start.respond_seconds, now, paused(task)),
  reminded: false,
  escalated_to: null,
});

/** Clocks stand while anything holds the task, and run again when nothing does. */
function heldBy({ respond, complete }: Task, pauses: readonly string[], now: number) {
  const turn = pauses.length > 0 ? stopClock : resumeClock;
  return { pauses, respond: respond && turn(respond, now), complete: complete && turn(complete, now) };
}

function pauseBy(task: Task, by: string, on: boolean, now: number): Task {
  const pauses = on ? [...new Set([...task.pauses, by])] : task.pauses.filter((other) => other !== by);
  return { ...task, ...heldBy(task, pauses, now) };
}

/**
 * Takes a task away without counting an attempt. What was sent to somebody by name goes to who answers for them; a silent
 * agent keeps what was meant for it alone, unclaimed, since it may come back.
 */
function unassign(task: Task, { from, because, to }: Reassignment, now: number): Task {
  const named = from.includes(task.target);
  const kept = named && because === 'silent';
  const target = named && !kept ? (to ?? task.role) : task.target;
  const taken = { ...(kept ? { lease_until: null, progress: null } : release), target };
  if (PARKED.includes(task.status)) return { ...task, ...taken };
  return { ...task, ...taken, ...waitAgain(task, now), status: 'pending' };
}

function loseLease(task: Task, now: number): Task {
  const attempts = task.attempts + 1;
  if (attempts >= task.start.max_attempts) return { ...task, ...parked(now), attempts, status: 'stalled' };
  const lost_by = [...new Set([...(task.lost_by ?? []), ...(task.assignee ? [task.assignee.id] : [])])];
  // A task for one agent or person stays with it; one of a role goes back to the role.
  const assignee = task.target === task.role ? null : task.assignee;
  return { ...task, ...release, assignee, ...waitAgain(task, now), attempts, lost_by, status: 'pending' };
}

/** Held by whoever claimed it; an agent of the assigned user leaves the task with the user. */
function claimed(task: Task, { actor, lease_seconds }: TaskChange & { type: 'claim' }, now: number): Task {
  const seconds = lease_seconds ?? task.start.lease_seconds;
  const claimer: Assignee = { kind: actor.kind === 'user' ? 'user' : 'agent', id: actor.id };
  const assignee = is(actor, task.assignee) ? task.assignee : claimer;
  const lease = { lease_seconds: seconds, lease_until: now + seconds * 1000 };
  return { ...task, ...lease, status: 'active', assignee, respond: null };
}

/** Waits again for somebody to claim it, with all its attempts. */
const requeued = (task: Task, now: number) =>
  ({
    ...release,
    ...waitAgain(task, now),
    status: 'pending',
    attempts: 0,
    declined_by: [],
    lost_by: [],
    park_until: null,
  }) as const;

/** The next state after something that somebody asked for. */
function changed(task: Task, event: TaskChange, now: number): Task {
  switch (event.type) {
    case 'claim':
      return claimed(task, event, now);
    case 'progress':
      return { ...task, progress: event.percent ?? task.progress, lease_until: now + task.lease_seconds * 1000 };
    case 'complete':
      return {
        ...task,
        status: 'completed',
        result: event.content,
        lease_until: null,
        progress: 100,
        completed_at: now,
      };
    case 'fail':
      return { ...task, ...parked(now), status: 'failed', reason: event.content };
    case 'decline':
      return task.target === task.role
        ? { ...task, ...release, reason: event.content, declined_by: [...task.declined_by, event.actor.id] }
        : { ...task, ...parked(now), status: 'declined', reason: event.content };
    case 'handoff':
      return { ...task, ...requeued(task, now), target: event.target, handoff: event.content };
    case 'cancel':
      return {
        ...task,
        status: 'cancelled',
        lease_until: null,
        reason: event.content ?? task.reason,
        completed_at: now,
      };
    case 'retry':
      return { ...task, ...requeued(task, now), reason: null };
  }
}

/** The next state. Changes must have been checked with refusalOf; `now` is in milliseconds since the epoch. */
export function nextTask(task: Task, event: TaskEvent, now: number): Task {
  switch (event.type) {
    case 'routed':
      return {
        ...task,
        role: event.admission.role,
        assignee: event.admission.assignee,
        because: event.admission.because,
        ...heldBy(task, event.admission.pauses, now),
      };
    case 'lease_lost':
      return loseLease(task, now);
    case 'unassigned':
      return unassign(task, event.reassignment, now);
    case 'remind':
      return { ...task, ...waitAgain(task, now), escalated_to: task.escalated_to, reminded: true };
    case 'escalate':
      return {
        ...task,
        respond: event.to === null ? null : waitAgain(task, now).respond,
        escalated_to: event.to ?? task.escalated_to,
      };
    case 'breach':
      return { ...task, breached: true, complete: null };
    case 'paused':
      return pauseBy(task, event.by, event.paused, now);
    default:
      return changed(task, event, now);
  }
}

export type TaskDeadline = 'lease' | 'respond' | 'complete' | 'park';

/** What time brings next, and when; undefined when the task waits for people only. */
export function nextDeadline(task: Task): { readonly kind: TaskDeadline; readonly at: number } | undefined {
  const open = !PARKED.includes(task.status) && !ended(task);
  const candidates: [TaskDeadline, number | null][] = [
    ['lease', task.status === 'active' ? task.lease_until : null],
    ['respond', task.status === 'pending' ? dueAt(task.respond) : null],
    ['complete', open ? dueAt(task.complete) : null],
    ['park', PARKED.includes(task.status) ? task.park_until : null],
  ];
  let first: { kind: TaskDeadline; at: number } | undefined;
  for (const [kind, at] of candidates) if (at !== null && (first === undefined || at < first.at)) first = { kind, at };
  return first;
}
