import { z } from 'zod';

import { Actor } from './actor.ts';
import { JsonMap } from './json.ts';
import type { TaskProjection } from './task-workflow.ts';
import type { ApprovalProjection } from './approval-workflow.ts';
import type { RecipeRunProjection } from './recipe-workflow.ts';
import type { SessionProjection } from './session-workflow.ts';

export const Topic = z
  .enum(['tasks', 'approvals', 'sessions', 'runs', 'notifications', 'profiles', 'directory'])
  .describe('A topic of /stream');
export type Topic = z.infer<typeof Topic>;

export const NoticeLevel = z.enum(['info', 'warning', 'critical']).describe('How urgent a notification is');

/** A notification that a transition gives rise to. Its text is a template: no personal value enters it. */
export const Notice = z.object({
  to: z.string().describe('Tag of the receiver: user:…, agent:… or role:…'),
  level: NoticeLevel,
  title: z.string().describe('One line'),
  message: z.string().describe('What happened and what to do'),
});
export type Notice = z.infer<typeof Notice>;

/** One line of the record, as a workflow tells it; ids and states only. */
export const RecordedEvent = z.object({
  action: z.string().describe('What happened, e.g. task.claimed'),
  actor: Actor,
  on_behalf_of: z.string().nullable().describe('User id that the actor decided for'),
  subject: z.object({ kind: z.enum(['task', 'approval', 'session', 'run']), id: z.string() }),
  outcome: z.enum(['ok', 'denied', 'failed']),
  task_id: z.string().nullable(),
  session_id: z.string().nullable(),
  policies: z.array(z.string()).describe('Policies that decided'),
  privacy: z.record(z.string(), z.number()).describe('Masked values by type'),
  details: JsonMap.describe('Redacted facts: ids, states, numbers'),
});
export type RecordedEvent = z.infer<typeof RecordedEvent>;

/** The state a transition leads to, as lists and pages show it. */
export type Projection =
  | { readonly kind: 'task'; readonly row: TaskProjection }
  | { readonly kind: 'approval'; readonly row: ApprovalProjection }
  | { readonly kind: 'session'; readonly row: SessionProjection }
  | { readonly kind: 'run'; readonly row: RecipeRunProjection };

/** One transition of one workflow: audit event, projection, outbox row and notifications, written together or not at all. */
export interface Transition {
  readonly organisation_id: string;
  readonly workflow_id: string;
  /** Counts the workflow's transitions. */
  readonly sequence: number;
  /**
   * Names what happened: the update, signal or deadline, and the step in it. A workflow task that is done again may take
   * its updates in another order; then the same sequence number means another change, and the earlier line is superseded.
   */
  readonly change_id: string;
  readonly at: string;
  /** When the attempt at the workflow's task began that writes this, in milliseconds: an earlier one is refused. */
  readonly attempt_at: number;
  readonly trace_id: string;
  readonly event: RecordedEvent;
  /** Absent where nothing came to exist, e.g. a task that policy refused. */
  readonly projection?: Projection;
  /** Tags of those who see the event on /stream. */
  readonly audience: readonly string[];
  readonly notices: readonly Notice[];
}

/** What is left to do after the transaction: webhook deliveries that wait. */
export interface Recorded {
  readonly deliveries: readonly string[];
}

/** Type of the failure of a record that comes from an attempt at a workflow task that another has replaced. */
export const SUPERSEDED_WRITER = 'SupersededWriter';

export interface RecordActivities {
  /** Writes one transition in one transaction; repeating it changes nothing. Fails with SUPERSEDED_WRITER. */
  record(transition: Transition): Promise<Recorded>;
}
