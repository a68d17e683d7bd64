import { defineQuery, defineSignal, defineUpdate } from '@temporalio/workflow';
import { z } from 'zod';

import { Actor } from './actor.ts';
import { ContentRef, MaskedSummary } from './content.ts';
import { SessionId, TaskId } from './ids.ts';
import { Role } from './principal.ts';
import { Timestamp } from './time.ts';

// What the API and the task workflow say to each other. Apart from the operations, since every cached workflow holds
// its own copy of each schema that its code reaches: see docs/decisions.

export const TaskStatus = z
  .enum(['pending', 'active', 'stalled', 'completed', 'failed', 'declined', 'cancelled'])
  .describe('pending: waits for somebody to claim it; active: claimed; stalled: parked after lost leases');
export type TaskStatus = z.infer<typeof TaskStatus>;

export const TaskReceipt = z.object({
  task_id: TaskId,
  status: TaskStatus,
  target: z.string().describe('The target as it was given'),
  assignee: z.string().nullable().describe('agent_… or user_… who got it; null while it waits for its role'),
  assigned_because: z.string().describe('Why this assignee was chosen'),
  session_id: SessionId.nullable(),
  masked: MaskedSummary,
  trace_id: z.string().describe('Follows the task through every system'),
});
export type TaskReceipt = z.infer<typeof TaskReceipt>;

export const AllowedVerb = z.enum(['claim', 'progress', 'complete', 'fail', 'decline', 'handoff', 'cancel', 'retry']);
export type AllowedVerb = z.infer<typeof AllowedVerb>;

const ALLOWED: Readonly<Record<TaskStatus, readonly AllowedVerb[]>> = {
  pending: ['claim', 'decline', 'handoff', 'cancel'],
  active: ['progress', 'complete', 'fail', 'handoff', 'cancel'],
  stalled: ['retry', 'handoff', 'cancel'],
  failed: ['retry', 'cancel'],
  declined: ['retry', 'handoff', 'cancel'],
  completed: [],
  cancelled: [],
};
/** What can be done in a state, whoever asks. */
export const allowedVerbs = (status: TaskStatus): readonly AllowedVerb[] => ALLOWED[status];

export const TaskStart = z.object({
  organisation_id: z.string(),
  task_id: TaskId,
  trace_id: z.string(),
  sender: Actor,
  sender_role: Role,
  target: z.string(),
  content: ContentRef,
  skills: z.array(z.string()),
  priority: z.number(),
  session_id: SessionId.nullable(),
  parent_task_id: TaskId.nullable(),
  respond_seconds: z.number().nullable(),
  complete_seconds: z.number().nullable(),
  lease_seconds: z.number(),
  max_attempts: z.number(),
  checks_result: z.boolean().describe('Whether the result must fit an output_schema'),
  /** Bounds of the tree that the task joins; absent where nobody sets them. */
  tree: z.object({ depth: z.number(), children: z.number() }).optional(),
  /** A workflow that hears that the task is admitted, and how it ends or where it gets stuck (`taskOutcomeSignal`). */
  tell: z.string().optional(),
  changes_per_run: z.number().default(500).describe('Continues as new after so many changes, to keep histories small'),
  /** What continue-as-new carries over; absent at the first run. */
  carried: z.unknown().optional(),
});
export type TaskStart = z.infer<typeof TaskStart>;

const byActor = { actor: Actor, trace_id: z.string() };
/** A change that somebody asks of a task; the union that the `change` update takes. */
export const TaskChange = z.discriminatedUnion('type', [
  z.object({ type: z.literal('claim'), ...byActor, lease_seconds: z.number().nullable() }),
  z.object({ type: z.literal('progress'), ...byActor, percent: z.number().nullable(), note: ContentRef.nullable() }),
  z.object({ type: z.literal('complete'), ...byActor, content: ContentRef }),
  z.object({ type: z.literal('fail'), ...byActor, content: ContentRef }),
  z.object({ type: z.literal('decline'), ...byActor, content: ContentRef }),
  z.object({ type: z.literal('handoff'), ...byActor, target: z.string(), content: ContentRef }),
  z.object({ type: z.literal('cancel'), ...byActor, content: ContentRef.nullable() }),
  z.object({ type: z.literal('retry'), ...byActor }),
]);
export type TaskChange = z.infer<typeof TaskChange>;

/** Where a task stands, as updates and queries answer. */
export const TaskState = z.object({
  task_id: TaskId,
  status: TaskStatus,
  assignee: z.string().nullable(),
  attempts: z.number(),
  lease_until: Timestamp.nullable(),
  session_id: SessionId.nullable(),
  paused: z.boolean(),
  allowed: z.array(AllowedVerb),
  trace_id: z.string(),
});
export type TaskState = z.infer<typeof TaskState>;

/** The row that lists and pages read. */
export interface TaskProjection {
  readonly id: string;
  readonly sender_id: string;
  readonly sender_kind: string;
  readonly sender_role: Role;
  readonly sender_acts_for: string | null;
  readonly target: string;
  readonly role: Role;
  readonly assignee_kind: 'agent' | 'user' | null;
  readonly assignee_id: string | null;
  readonly status: TaskStatus;
  readonly paused: boolean;
  readonly priority: number;
  readonly attempts: number;
  readonly progress: number | null;
  readonly lease_until: string | null;
  readonly respond_by: string | null;
  readonly complete_by: string | null;
  readonly sla_breached: boolean;
  readonly escalated_to: string | null;
  readonly session_id: string | null;
  readonly parent_task_id: string | null;
  readonly content: string;
  readonly result: string | null;
  readonly reason: string | null;
  readonly handoff: string | null;
  readonly trace_id: string;
  readonly created_at: string;
  readonly completed_at: string | null;
}

export interface AdmitRequest {
  readonly start: TaskStart;
}
/** Who was chosen for a task, and whether it may be sent at all. */
export interface Admission {
  readonly role: Role;
  readonly assignee: { readonly kind: 'agent' | 'user'; readonly id: string } | null;
  readonly because: string;
  /** Reasons why work may not be handed out now: session, agent, role or organisation is paused. */
  readonly pauses: readonly string[];
  readonly policies: readonly string[];
}
export interface RerouteRequest {
  readonly organisation_id: string;
  readonly task_id: string;
  readonly target: string;
  readonly skills: readonly string[];
  readonly session_id: string | null;
  readonly actor: Actor;
  /** Agents that declined; they are not asked again. */
  readonly excluding: readonly string[];
  /** Agents that let a lease run out; asked again only where there is nobody else. */
  readonly avoiding?: readonly string[];
}
export interface ResultRequest {
  readonly organisation_id: string;
  readonly task: ContentRef;
  readonly result: ContentRef;
}

export interface DependentsRequest {
  readonly organisation_id: string;
  readonly task_id: string;
  readonly after?: { readonly task: string | null; readonly approval: string | null };
  readonly limit?: number;
}

export interface TaskActivities {
  /** Asks policy, finds the target and chooses the assignee. Refuses with forbidden, unknown_target, not_found or tree_too_large. */
  admit(request: AdmitRequest): Promise<Admission>;
  /** Chooses an assignee anew after hand-off, decline, lost lease or an agent's return. */
  reroute(request: RerouteRequest): Promise<Admission>;
  /** Checks a result against the task's output_schema. Refuses with output_mismatch. */
  checkResult(request: ResultRequest): Promise<void>;
  /** The manager above somebody, or above the head of a role; null at the top. */
  managerAbove(request: {
    readonly organisation_id: string;
    readonly assignee: string | null;
    readonly role: Role;
    readonly above: string | null;
  }): Promise<string | null>;
  /** Open children and approvals that end with the task, oldest first, after given ids; at most so many of each. */
  openDependents(request: DependentsRequest): Promise<{
    readonly tasks: readonly string[];
    readonly approvals: readonly string[];
  }>;
}

/** Takes a task from those who cannot do it any more. */
export interface Reassignment {
  /** The person and the agents that act for them, or one agent. */
  readonly from: readonly string[];
  readonly because: 'left' | 'role_changed' | 'silent' | 'draining';
  /** Who gets what was sent to the person by name; the role's queue where there is nobody. */
  readonly to: string | null;
  /** Tasks of this role stay with them. */
  readonly keeps_role: string | null;
}

/** Ends with the last state; null where the task was refused. */
export type TaskWorkflow = (start: TaskStart) => Promise<TaskState | null>;
export const TASK_WORKFLOW = 'task';
export const admissionUpdate = defineUpdate<TaskReceipt>('admission');
export const changeUpdate = defineUpdate<TaskState, [TaskChange]>('change');
export const taskQuery = defineQuery<TaskState>('state');
/** An agent of the role came online, or a pause ended: look again who could do it. */
export const agentAvailableSignal = defineSignal('agentAvailable');
export const pausedSignal = defineSignal<[{ by: string; paused: boolean }]>('paused');
/** Whoever has the task left, changed roles or stopped answering: it goes back to its queue, or to who answers for them. */
export const reassignSignal = defineSignal<[Reassignment]>('reassign');
export const cancelSignal = defineSignal<[{ because: string }]>('cancelRequested');
export const taskWorkflowId = (organisationId: string, taskId: string): string => `task:${organisationId}:${taskId}`;
