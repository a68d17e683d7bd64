import { defineQuery, defineSignal, defineUpdate } from '@temporalio/workflow';
import { z } from 'zod';

import { Actor } from './actor.ts';
import { ContentRef } from './content.ts';
import { SessionId, TaskId } from './ids.ts';
import { Role } from './principal.ts';

// What the API and the session workflow say to each other; apart from the operations for the same reason as tasks.

export const SessionStatus = z
  .enum(['pending', 'active', 'paused', 'completed', 'failed', 'cancelled', 'expired'])
  .describe('completed, failed, cancelled and expired are final');
export type SessionStatus = z.infer<typeof SessionStatus>;

export const SessionEvent = z
  .enum(['activate', 'pause', 'resume', 'complete', 'fail', 'cancel'])
  .describe('What shall happen to the session');
export type SessionEvent = z.infer<typeof SessionEvent>;

/** What each state takes, and where it leads. */
export const SESSION_TRANSITIONS: Readonly<Record<SessionStatus, Partial<Record<SessionEvent, SessionStatus>>>> = {
  pending: { activate: 'active', cancel: 'cancelled', fail: 'failed' },
  active: { pause: 'paused', complete: 'completed', fail: 'failed', cancel: 'cancelled' },
  paused: { resume: 'active', complete: 'completed', fail: 'failed', cancel: 'cancelled' },
  completed: {},
  failed: {},
  cancelled: {},
  expired: {},
};
/** Events that a state takes. */
export const allowedEvents = (status: SessionStatus): SessionEvent[] =>
  Object.keys(SESSION_TRANSITIONS[status]) as SessionEvent[];

export const SessionState = z.object({
  session_id: SessionId,
  status: SessionStatus,
  lead: z.string(),
  lead_role: Role,
  participants: z.array(z.string()),
  allowed: z.array(SessionEvent),
  trace_id: z.string(),
});
export type SessionState = z.infer<typeof SessionState>;

export const SessionStart = z.object({
  organisation_id: z.string(),
  session_id: SessionId,
  trace_id: z.string(),
  creator: Actor,
  agent_role: Role,
  lead: z.string(),
  participants: z.array(z.string()),
  task_id: TaskId.nullable(),
  content: ContentRef,
  idle_seconds: z.number().describe('Expires when nothing happened for so long'),
  changes_per_run: z.number().default(500).describe('Continues as new after so many changes, to keep histories small'),
  /** What continue-as-new carries over; absent at the first run. */
  carried: z.unknown().optional(),
});
export type SessionStart = z.infer<typeof SessionStart>;

const byActor = { actor: Actor, trace_id: z.string() };
export const SessionChange = z.discriminatedUnion('type', [
  z.object({ type: SessionEvent, ...byActor, content: ContentRef.nullable() }),
  z.object({ type: z.literal('join'), ...byActor, participant: z.string() }),
  z.object({ type: z.literal('handoff'), ...byActor, to: z.string(), to_role: Role, content: ContentRef }),
]);
export type SessionChange = z.infer<typeof SessionChange>;

export interface SessionProjection {
  readonly id: string;
  readonly creator_id: string;
  readonly creator_kind: string;
  readonly agent_role: Role;
  readonly lead: string;
  readonly participants: readonly string[];
  readonly status: SessionStatus;
  readonly task_id: string | null;
  readonly content: string;
  readonly handoff: string | null;
  readonly reason: string | null;
  readonly trace_id: string;
  readonly created_at: string;
  readonly last_transition_at: string;
  readonly paused_at: string | null;
  readonly completed_at: string | null;
  readonly failed_at: string | null;
  readonly expires_at: string;
}

/** A page of tasks that a pause or a resume must reach. */
export interface DispatchScope {
  readonly organisation_id: string;
  readonly scope: 'session' | 'agent' | 'role' | 'organisation';
  readonly id: string;
}
export interface SessionActivities {
  /** Asks whether the creator may open the session. Refuses with forbidden, unknown_target or not_found. */
  admitSession(start: SessionStart): Promise<{ readonly policies: readonly string[] }>;
  /** Ids of open tasks in the scope, oldest first, after a given id; at most 200. */
  openTasks(request: DispatchScope & { readonly after: string | null }): Promise<readonly string[]>;
  /** When anything last happened in the session, in milliseconds since the epoch. */
  lastActivity(request: { readonly organisation_id: string; readonly session_id: string }): Promise<number>;
}

/** Ends with the last state; null where the session was refused. */
export type SessionWorkflow = (start: SessionStart) => Promise<SessionState | null>;
export const SESSION_WORKFLOW = 'session';
export const sessionOpenedUpdate = defineUpdate<SessionState>('opened');
export const sessionChangeUpdate = defineUpdate<SessionState, [SessionChange]>('change');
export const sessionQuery = defineQuery<SessionState>('state');
export const sessionCancelSignal = defineSignal<[{ because: string }]>('cancelRequested');
export const sessionWorkflowId = (organisationId: string, sessionId: string): string =>
  `session:${organisationId}:${sessionId}`;

/** Carries a pause, its end or a cancellation to every open task of a scope (SESS-4), or below a task (TASK-4). */
export const Fanout = z.object({
  organisation_id: z.string(),
  scope: z.enum(['session', 'agent', 'role', 'organisation', 'task']),
  id: z.string(),
  message: z.enum(['pause', 'resume', 'cancel']),
  /** What continue-as-new carries over; absent at the first run. */
  carried: z.object({ task: z.string().nullable(), approval: z.string().nullable(), reached: z.number() }).optional(),
});
export type Fanout = z.infer<typeof Fanout>;
export type FanoutWorkflow = (fanout: Fanout) => Promise<{ readonly reached: number }>;
export const FANOUT_WORKFLOW = 'fanout';
export const fanoutWorkflowId = (fanout: Fanout, requestId: string): string =>
  `fanout:${fanout.organisation_id}:${fanout.scope}:${fanout.id}:${requestId}`;
