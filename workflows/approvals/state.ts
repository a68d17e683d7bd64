import type { Actor } from '../../contracts/actor.ts';
import type { ErrorCode } from '../../contracts/errors.ts';
import type {
  ApprovalStart,
  ApprovalStatus,
  CheckedDecision,
  CompiledApproval,
  Decision,
  Redemption,
  Replaced,
  Replacement,
  Revision,
  Verdict,
  Withdrawal,
} from '../../contracts/approval-workflow.ts';
import { satisfied, usersOf, withOthers, withoutPerson } from '../../contracts/requirement.ts';

/** An approved action can be redeemed at least this long. */
export const REDEEM_AT_LEAST_MS = 3_600_000;

export interface Ballot {
  readonly decision_id: string;
  readonly by: string;
  /** The person who decided, itself or through its agent: nobody decides twice. */
  readonly person: string;
  readonly on_behalf_of: string | null;
  /** The approver that the vote counts for. */
  readonly counts_for: string;
  readonly verdict: Verdict;
  readonly edited: boolean;
  readonly content: string | null;
  readonly at: number;
}

/** All an approval knows about itself: ids, states and times, no text. */
export interface Approval {
  readonly start: ApprovalStart;
  readonly status: ApprovalStatus;
  readonly content: string;
  readonly compiled: CompiledApproval;
  readonly ballots: readonly Ballot[];
  readonly revision: number;
  readonly escalations: number;
  readonly escalated_to: readonly string[];
  readonly replaced: readonly Replaced[];
  readonly due: number;
  readonly remind_at: number | null;
  readonly redeem_by: number | null;
  readonly redeemed: { readonly id: string; readonly by: string; readonly at: number } | null;
  readonly created_at: number;
  readonly decided_at: number | null;
  readonly closed: boolean;
}

export type ApprovalEvent =
  | { readonly type: 'decide'; readonly decision: Decision; readonly checked: CheckedDecision }
  | { readonly type: 'revise'; readonly revision: Revision; readonly compiled: CompiledApproval }
  | { readonly type: 'withdraw'; readonly withdrawal: Withdrawal }
  | { readonly type: 'redeem'; readonly redemption: Redemption }
  | { readonly type: 'replace'; readonly replacement: Replacement }
  | { readonly type: 'remind' }
  | { readonly type: 'escalate'; readonly managers: readonly string[] }
  | { readonly type: 'expire' }
  | { readonly type: 'lapse' };

export interface ApprovalRefusal {
  readonly code: ErrorCode;
  readonly detail: string;
}

/** An approval as it comes into being, once its approvers are known. */
export function openedApproval(start: ApprovalStart, compiled: CompiledApproval, now: number): Approval {
  return {
    start,
    status: 'pending',
    content: start.content,
    compiled,
    ballots: [],
    revision: 1,
    escalations: 0,
    escalated_to: [],
    replaced: [],
    due: now + start.due_seconds * 1000,
    remind_at: nextReminder(start, now),
    redeem_by: null,
    redeemed: null,
    created_at: now,
    decided_at: null,
    closed: false,
  };
}

const nextReminder = (start: ApprovalStart, now: number): number | null =>
  start.remind_seconds === null ? null : now + start.remind_seconds * 1000;

/** The person a vote of this actor counts for, unless it was delegated. */
export const personOf = (actor: Actor): string => (actor.kind === 'agent' ? (actor.acts_for ?? actor.id) : actor.id);

const isRequester = ({ start: { requester } }: Approval, actor: Actor): boolean =>
  [actor.id, personOf(actor)].some((id) => id === requester.id || id === requester.acts_for);

/** Users who could decide and have not. */
export function waitingFor(approval: Approval): readonly string[] {
  if (approval.status !== 'pending') return [];
  const voted = new Set(approval.ballots.map((ballot) => ballot.counts_for));
  return usersOf(approval.compiled.requirement).filter((user) => !voted.has(user));
}

/** The decision an actor gave before, if any. */
export const ballotOf = (approval: Approval, actor: Actor): Ballot | undefined =>
  approval.ballots.find((ballot) => ballot.person === personOf(actor));

/** True where a decision only repeats what the same person decided; it then answers as the first time did. */
export function repeats(approval: Approval, decision: Decision): boolean {
  const before = ballotOf(approval, decision.actor);
  return before?.verdict === decision.verdict && before.edited === decision.edits;
}

const DECIDED: readonly ApprovalStatus[] = ['approved', 'rejected', 'withdrawn'];

/** Why the state does not take an answer or a change any more; undefined where it does. */
export function closedRefusal(approval: Approval): ApprovalRefusal | undefined {
  if (approval.status === 'expired')
    return { code: 'approval_expired', detail: 'Nobody decided in time; the approval expired.' };
  if (!DECIDED.includes(approval.status)) return undefined;
  const last = approval.ballots.at(-1);
  const who = last ? ` by ${last.by} at ${new Date(last.at).toISOString()}` : '';
  return { code: 'approval_already_decided', detail: `The approval was ${approval.status}${who}.` };
}

/** Why a decision is not possible for this actor in this state; undefined where it may be checked further. */
export function decisionRefusal(approval: Approval, { actor, verdict, edits }: Decision): ApprovalRefusal | undefined {
  if (isRequester(approval, actor))
    return { code: 'not_an_approver', detail: 'Requesters never approve their own requests.' };
  if (actor.kind === 'agent' && !approval.start.agents_may_decide)
    return { code: 'not_an_approver', detail: 'Agents do not decide this approval; a person does.' };
  const closed = closedRefusal(approval);
  if (closed) return closed;
  if (approval.status === 'changes_requested')
    return { code: 'illegal_transition', detail: 'Changes were requested; the requester has to revise it first.' };
  const before = ballotOf(approval, actor);
  if (before)
    return {
      code: 'approval_already_decided',
      detail: `You decided ${before.verdict} at ${new Date(before.at).toISOString()}.`,
    };
  if (edits && verdict !== 'approve') return { code: 'invalid_edits', detail: 'Only an approval can carry edits.' };
  return undefined;
}

/** Why the requester's own change is not possible; undefined where it is. */
export function requesterRefusal(approval: Approval, actor: Actor): ApprovalRefusal | undefined {
  if (!isRequester(approval, actor) && !actor.administrator && actor.kind !== 'service')
    return { code: 'forbidden', detail: 'Only the requester can change or withdraw the request.' };
  return closedRefusal(approval);
}

/** Why the action may not run; undefined where it may, once. */
export function redemptionRefusal(
  approval: Approval,
  { digest, actor, redemption_id }: Redemption,
  now: number,
): ApprovalRefusal | undefined {
  if (!isRequester(approval, actor)) return { code: 'forbidden', detail: 'Only the requester redeems the approval.' };
  if (approval.redeemed?.id === redemption_id && digest === approval.compiled.digest) return undefined;
  if (approval.redeemed)
    return { code: 'already_redeemed', detail: `It was redeemed at ${new Date(approval.redeemed.at).toISOString()}.` };
  if (approval.status === 'expired')
    return { code: 'approval_expired', detail: 'Nobody decided in time; the approval expired.' };
  if (approval.status !== 'approved') return { code: 'not_approved', detail: `The approval is ${approval.status}.` };
  if (approval.redeem_by === null) return { code: 'not_approved', detail: 'The approval is not bound to an action.' };
  if (now > approval.redeem_by) return { code: 'approval_expired', detail: 'The approved action was not run in time.' };
  if (digest !== approval.compiled.digest)
    return { code: 'action_mismatch', detail: `The approved action has digest ${String(approval.compiled.digest)}.` };
  return undefined;
}

function decided(approval: Approval, status: ApprovalStatus, now: number): Approval {
  const bound = status === 'approved' && approval.compiled.digest !== null;
  return {
    ...approval,
    status,
    remind_at: null,
    decided_at: now,
    redeem_by: bound ? now + Math.max(approval.start.due_seconds * 1000, REDEEM_AT_LEAST_MS) : null,
    closed: !bound,
  };
}

/** Approvals, one of each person: nobody counts twice, whomever it decides for. */
const firstOfPerson = (ballot: Ballot, at: number, ballots: readonly Ballot[]): boolean =>
  ballot.verdict === 'approve' && ballots.findIndex((other) => other.person === ballot.person) === at;

function vote(
  approval: Approval,
  decision: Decision,
  { on_behalf_of, edited }: CheckedDecision,
  now: number,
): Approval {
  const ballot: Ballot = {
    decision_id: decision.decision_id,
    by: decision.actor.id,
    person: personOf(decision.actor),
    on_behalf_of,
    counts_for: on_behalf_of ?? personOf(decision.actor),
    verdict: decision.verdict,
    edited: edited !== null,
    content: decision.content,
    at: now,
  };
  // Who approved before an edit approved something else: with the edit, only the editor's vote counts.
  const ballots = [...(edited ? [] : approval.ballots), ballot];
  const after: Approval = {
    ...approval,
    ballots,
    content: edited?.content ?? approval.content,
    compiled: edited ? { ...edited.compiled } : approval.compiled,
  };
  if (decision.verdict === 'reject') return decided(after, 'rejected', now);
  if (decision.verdict === 'request_changes') return { ...after, status: 'changes_requested', remind_at: null };
  const approvedFor = new Set(ballots.filter(firstOfPerson).map((one) => one.counts_for));
  return satisfied(after.compiled.requirement, approvedFor) ? decided(after, 'approved', now) : after;
}

/** Who is asked in the place of somebody: the nearest who did not ask themselves and is not asked already. */
export function standInFor(approval: Approval, { user, successors }: Replacement): string | null {
  const { requester } = approval.start;
  const known = new Set([user, requester.id, requester.acts_for, ...usersOf(approval.compiled.requirement)]);
  return successors.find((one) => !known.has(one)) ?? null;
}

/** Asks others than somebody who cannot answer any more. Who stands in is asked in that place alone, not in every other. */
function replaced(approval: Approval, replacement: Replacement): Approval {
  const { user } = replacement;
  const successor = standInFor(approval, replacement);
  const after = withoutPerson(approval.compiled.requirement, user, successor);
  const instead = successor !== null && usersOf(after).includes(successor) ? successor : null;
  return {
    ...approval,
    compiled: { ...approval.compiled, requirement: after },
    escalated_to: approval.escalated_to.filter((one) => one !== user),
    // Who stood in and leaves too is not asked again when an edit has the approvers looked up anew.
    replaced: [
      ...approval.replaced.map((one) => (one.instead === user ? { ...one, instead } : one)),
      { user, instead },
    ],
  };
}

/** The next state. Events must have been checked for refusal; `now` is in milliseconds since the epoch. */
export function nextApproval(approval: Approval, event: ApprovalEvent, now: number): Approval {
  switch (event.type) {
    case 'decide':
      return vote(approval, event.decision, event.checked, now);
    case 'revise':
      return {
        ...approval,
        status: 'pending',
        content: event.revision.content,
        compiled: event.compiled,
        ballots: [],
        revision: approval.revision + 1,
        due: now + approval.start.due_seconds * 1000,
        remind_at: nextReminder(approval.start, now),
      };
    case 'withdraw':
      return { ...decided(approval, 'withdrawn', now), closed: true };
    case 'redeem':
      return {
        ...approval,
        redeemed: { id: event.redemption.redemption_id, by: event.redemption.actor.id, at: now },
        closed: true,
      };
    case 'replace':
      return replaced(approval, event.replacement);
    case 'remind':
      return { ...approval, remind_at: nextReminder(approval.start, now) };
    case 'escalate':
      return {
        ...approval,
        compiled: { ...approval.compiled, requirement: withOthers(approval.compiled.requirement, event.managers) },
        escalations: approval.escalations + 1,
        escalated_to: [...new Set([...approval.escalated_to, ...event.managers])],
        due: now + approval.start.due_seconds * 1000,
      };
    case 'expire':
      return { ...approval, status: 'expired', remind_at: null, decided_at: now, closed: true };
    case 'lapse':
      return { ...approval, closed: true };
  }
}

export type ApprovalDeadline = 'remind' | 'due' | 'redeem';

/** What time brings next, and when; undefined once closed. */
export function nextDeadline(approval: Approval): { readonly kind: ApprovalDeadline; readonly at: number } | undefined {
  if (approval.closed) return undefined;
  if (approval.redeem_by !== null) return { kind: 'redeem', at: approval.redeem_by };
  const { remind_at, due } = approval;
  return remind_at !== null && remind_at < due ? { kind: 'remind', at: remind_at } : { kind: 'due', at: due };
}
