import { defineQuery, defineSignal, defineUpdate } from '@temporalio/workflow';
import { z } from 'zod';

import { Actor } from './actor.ts';
import type { Requirement } from './approval-policy.ts';
import { ContentRef } from './content.ts';
import { ApprovalId, SessionId, TaskId, UserId } from './ids.ts';
import { Role } from './principal.ts';
import { Timestamp } from './time.ts';

// What the API and the approval workflow say to each other; apart from the operations for the same reason as tasks.

export const ApprovalStatus = z
  .enum(['pending', 'changes_requested', 'approved', 'rejected', 'expired', 'withdrawn'])
  .describe('Only approved lets an action run');
export type ApprovalStatus = z.infer<typeof ApprovalStatus>;

/** Spellings of the four decisions that are understood; anything else is refused and approves nothing (APPR-5). */
const DECISIONS = {
  approve: 'approve',
  approved: 'approve',
  reject: 'reject',
  rejected: 'reject',
  deny: 'reject',
  denied: 'reject',
  request_changes: 'request_changes',
  changes_requested: 'request_changes',
} as const;
export const DecisionWord = z
  .enum(Object.keys(DECISIONS) as [keyof typeof DECISIONS, ...(keyof typeof DECISIONS)[]])
  .describe('approve, reject or request_changes');
export const Verdict = z.enum(['approve', 'reject', 'request_changes']);
export type Verdict = z.infer<typeof Verdict>;
/** The decision a spelling means. */
export const verdictOf = (word: z.infer<typeof DecisionWord>): Verdict => DECISIONS[word];

export const Vote = z.object({
  by: z.string().describe('Who decided: user or agent id'),
  on_behalf_of: z.string().nullable().describe('Whom the decision counts for, where it was delegated'),
  verdict: Verdict,
  edited: z.boolean(),
  comment: z.string().nullable(),
  at: Timestamp,
});

export const ApprovalStart = z.object({
  organisation_id: z.string(),
  approval_id: ApprovalId,
  trace_id: z.string(),
  requester: Actor,
  requester_role: Role,
  task_id: TaskId.nullable(),
  session_id: SessionId.nullable(),
  content: ContentRef,
  due_seconds: z.number(),
  remind_seconds: z.number().nullable(),
  on_expiry: z.enum(['deny', 'escalate']),
  agents_may_decide: z.boolean(),
});
export type ApprovalStart = z.infer<typeof ApprovalStart>;

/** A decision as it travels to the workflow: words are content, kept in the database. */
export const Decision = z.object({
  decision_id: z.string().max(100).describe('Names the decision; the same id decides once'),
  actor: Actor,
  trace_id: z.string(),
  verdict: Verdict,
  content: ContentRef.nullable().describe('Comment and edits'),
  edits: z.boolean(),
});
export type Decision = z.infer<typeof Decision>;

/** What operators send by hand: the same decision by signal, for a user they act for. */
export const OperatorDecision = z.object({
  decision: DecisionWord,
  user_id: UserId.describe('The approver whose decision this is'),
  comment: z.string().max(200).optional().describe('No personal data: it stays in the history'),
});
export type OperatorDecision = z.infer<typeof OperatorDecision>;

export const Revision = z.object({ actor: Actor, trace_id: z.string(), content: ContentRef });
export const Withdrawal = z.object({ actor: Actor, trace_id: z.string(), because: z.string().max(200).nullable() });
export const Redemption = z.object({
  redemption_id: z.string().max(100),
  actor: Actor,
  trace_id: z.string(),
  digest: z.string().max(100),
});
export type Revision = z.infer<typeof Revision>;
export type Withdrawal = z.infer<typeof Withdrawal>;
export type Redemption = z.infer<typeof Redemption>;

export const ApprovalState = z.object({
  approval_id: ApprovalId,
  status: ApprovalStatus,
  requester: z.string(),
  waiting_for: z.array(z.string()),
  votes: z.array(Vote.omit({ comment: true })),
  digest: z.string().nullable(),
  due_by: Timestamp,
  escalations: z.number(),
  redeemed_at: Timestamp.nullable(),
  trace_id: z.string(),
});
export type ApprovalState = z.infer<typeof ApprovalState>;

export interface ApprovalProjection {
  readonly id: string;
  readonly status: ApprovalStatus;
  readonly requester_id: string;
  readonly requester_kind: string;
  readonly requester_acts_for: string | null;
  readonly task_id: string | null;
  readonly session_id: string | null;
  readonly content: string;
  readonly digest: string | null;
  readonly approvers: readonly string[];
  readonly waiting_for: readonly string[];
  readonly requirement: string;
  readonly votes: readonly unknown[];
  readonly agents_may_decide: boolean;
  readonly revision: number;
  readonly escalations: number;
  readonly due_by: string;
  readonly redeem_by: string | null;
  readonly redeemed_at: string | null;
  readonly trace_id: string;
  readonly created_at: string;
  readonly decided_at: string | null;
}

/** What is known once roles, managers and conditions were looked up. */
export interface CompiledApproval {
  readonly requirement: Requirement;
  readonly digest: string | null;
  /** People who may decide for an approver: delegate → whom. */
  readonly delegates: Readonly<Record<string, readonly string[]>>;
  readonly policies: readonly string[];
}
export interface CompileRequest {
  readonly organisation_id: string;
  readonly requester: Actor;
  readonly content: ContentRef;
  readonly task_id: string | null;
  readonly session_id: string | null;
  /** Extra approvers that escalation added: the managers of those who stayed silent. */
  readonly escalated_to: readonly string[];
  /** Who was taken out since it was opened, and who is asked in their place; absent while it is being opened. */
  readonly replaced?: readonly Replaced[];
}
/** Somebody who cannot answer any more; `instead` is null where enough others are left. */
export interface Replaced {
  readonly user: string;
  readonly instead: string | null;
}
export interface DecisionCheck {
  readonly organisation_id: string;
  readonly request: CompileRequest;
  readonly actor: Actor;
  readonly decision: ContentRef | null;
  readonly edits: boolean;
}
/** A checked decision: whom it counts for, and what the edits made of the request. */
export interface CheckedDecision {
  readonly on_behalf_of: string | null;
  /** The request with the edits applied, and its compiled form; null where nothing was edited. */
  readonly edited: { readonly content: ContentRef; readonly compiled: CompiledApproval } | null;
}

export interface ApprovalActivities {
  /** Finds the approvers and the digest. Refuses with no_eligible_approver, forbidden or not_found. */
  compileApproval(request: CompileRequest): Promise<CompiledApproval>;
  /** Finds whom a decision counts for and applies edits. Refuses with not_an_approver or invalid_edits. */
  checkDecision(check: DecisionCheck): Promise<CheckedDecision>;
  /** The managers of those who stay silent, by the org chart; empty at the top. */
  managersOf(request: {
    readonly organisation_id: string;
    readonly users: readonly string[];
  }): Promise<readonly string[]>;
}

/** Takes somebody out of those who are asked. */
export interface Replacement {
  readonly user: string;
  readonly because: 'left' | 'role_changed' | 'silent' | 'draining';
  /** Who may answer instead, where too few would be left: delegates, then managers, nearest first. */
  readonly successors: readonly string[];
}

/** Ends with the last state; null where the request was refused. */
export type ApprovalWorkflow = (start: ApprovalStart) => Promise<ApprovalState | null>;
export const APPROVAL_WORKFLOW = 'approval';
export const openedUpdate = defineUpdate<ApprovalState>('opened');
export const decideUpdate = defineUpdate<ApprovalState, [Decision]>('decide');
export const reviseUpdate = defineUpdate<ApprovalState, [Revision]>('revise');
export const withdrawUpdate = defineUpdate<ApprovalState, [Withdrawal]>('withdraw');
export const redeemUpdate = defineUpdate<ApprovalState, [Redemption]>('redeem');
export const decideSignal = defineSignal<[OperatorDecision]>('decision');
export const withdrawSignal = defineSignal<[{ because: string }]>('withdrawRequested');
/** Somebody who is asked left or changed roles: others answer, or who stands in for them. */
export const replaceApproverSignal = defineSignal<[Replacement]>('replaceApprover');
export const approvalQuery = defineQuery<ApprovalState>('state');
export const approvalWorkflowId = (organisationId: string, approvalId: string): string =>
  `approval:${organisationId}:${approvalId}`;
