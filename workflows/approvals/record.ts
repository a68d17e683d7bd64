import { actorTag, SYSTEM } from '../../contracts/actor.ts';
import type { Actor } from '../../contracts/actor.ts';
import type { ApprovalProjection, ApprovalState } from '../../contracts/approval-workflow.ts';
import type { Json } from '../../contracts/json.ts';
import type { Notice } from '../../contracts/record.ts';
import type { TransitionDraft } from '../recorder.ts';
import { usersOf } from '../../contracts/requirement.ts';
import { waitingFor } from './state.ts';
import type { Approval, ApprovalEvent, Ballot } from './state.ts';

const iso = (milliseconds: number | null): string | null =>
  milliseconds === null ? null : new Date(milliseconds).toISOString();

const voteOf = ({ by, on_behalf_of, verdict, edited, at }: Ballot) => ({
  by,
  on_behalf_of,
  verdict,
  edited,
  at: new Date(at).toISOString(),
});

/** Where the approval stands, as updates and queries answer. */
export const approvalState = (approval: Approval): ApprovalState => ({
  approval_id: approval.start.approval_id,
  status: approval.status,
  requester: approval.start.requester.id,
  waiting_for: [...waitingFor(approval)],
  votes: approval.ballots.map(voteOf),
  digest: approval.compiled.digest,
  due_by: new Date(approval.due).toISOString(),
  escalations: approval.escalations,
  redeemed_at: iso(approval.redeemed?.at ?? null),
  trace_id: approval.start.trace_id,
});

/** The row of lists and pages. */
export function approvalProjection(approval: Approval): ApprovalProjection {
  const { start, compiled } = approval;
  return {
    id: start.approval_id,
    status: approval.status,
    requester_id: start.requester.id,
    requester_kind: start.requester.kind,
    requester_acts_for: start.requester.acts_for,
    task_id: start.task_id,
    session_id: start.session_id,
    content: approval.content,
    digest: compiled.digest,
    approvers: usersOf(compiled.requirement),
    waiting_for: waitingFor(approval),
    requirement: compiled.requirement.label,
    votes: approval.ballots.map((ballot) => ({ ...voteOf(ballot), content: ballot.content })),
    agents_may_decide: start.agents_may_decide,
    revision: approval.revision,
    escalations: approval.escalations,
    due_by: new Date(approval.due).toISOString(),
    redeem_by: iso(approval.redeem_by),
    redeemed_at: iso(approval.redeemed?.at ?? null),
    trace_id: start.trace_id,
    created_at: new Date(approval.created_at).toISOString(),
    decided_at: iso(approval.decided_at),
  };
}

const requesterTags = ({ start: { requester } }: Approval): string[] =>
  requester.acts_for === null ? [actorTag(requester)] : [actorTag(requester), `user:${requester.acts_for}`];

/** The approvers who are asked, and those who may answer for them. */
function asked(approval: Approval): string[] {
  const users = waitingFor(approval);
  const delegates = users.flatMap((user) => approval.compiled.delegates[user] ?? []);
  return [...new Set([...users, ...delegates])].map((user) => `user:${user}`);
}

const audience = (approval: Approval): string[] => [
  ...new Set([
    ...requesterTags(approval),
    ...usersOf(approval.compiled.requirement).map((user) => `user:${user}`),
    ...asked(approval),
  ]),
];

const tell = (tags: readonly string[], level: Notice['level'], title: string, message: string): Notice[] =>
  tags.map((to) => ({ to, level, title, message }));

const OUTCOMES: Readonly<Record<string, string>> = {
  approved: 'was approved',
  rejected: 'was rejected',
  changes_requested: 'needs changes; revise it',
  expired: 'expired without an answer',
};

function noticesOf(approval: Approval, event: ApprovalEvent): Notice[] {
  const id = approval.start.approval_id;
  const outcome = OUTCOMES[approval.status];
  switch (event.type) {
    case 'decide':
    case 'expire':
      return outcome === undefined
        ? []
        : tell(
            requesterTags(approval).slice(0, 1),
            'info',
            `Approval ${approval.status.replace('_', ' ')}`,
            `Approval ${id} ${outcome}.`,
          );
    case 'revise':
      return tell(
        asked(approval),
        'info',
        'Approval revised',
        `Approval ${id} was revised and waits for your decision.`,
      );
    case 'replace':
      return tell(
        asked(approval).filter((tag) => event.replacement.successors.includes(tag.slice('user:'.length))),
        'info',
        'Approval waits for you',
        `Approval ${id} waits for you in the place of somebody else, until ${new Date(approval.due).toISOString()}.`,
      );
    case 'remind':
      return tell(
        asked(approval),
        'warning',
        'Approval waits for you',
        `Approval ${id} waits for your decision until ${new Date(approval.due).toISOString()}.`,
      );
    case 'escalate':
      return tell(
        event.managers.map((user) => `user:${user}`),
        'critical',
        'Approval escalated to you',
        `Nobody decided approval ${id} in time; it waits for you.`,
      );
    default:
      return [];
  }
}

const ACTIONS: Readonly<Record<ApprovalEvent['type'], string>> = {
  decide: 'approval.decided',
  revise: 'approval.revised',
  withdraw: 'approval.withdrawn',
  redeem: 'approval.redeemed',
  replace: 'approval.approver_replaced',
  remind: 'approval.reminded',
  escalate: 'approval.escalated',
  expire: 'approval.expired',
  lapse: 'approval.lapsed',
};

const actorOfEvent = (event: ApprovalEvent): { actor: Actor; trace_id?: string } =>
  event.type === 'decide'
    ? event.decision
    : event.type === 'revise'
      ? event.revision
      : event.type === 'withdraw'
        ? event.withdrawal
        : event.type === 'redeem'
          ? event.redemption
          : { actor: SYSTEM };

function detailsOf(approval: Approval, event: ApprovalEvent): Record<string, Json> {
  const base = { status: approval.status, digest: approval.compiled.digest };
  if (event.type === 'decide')
    return { ...base, verdict: event.decision.verdict, edited: event.checked.edited !== null };
  if (event.type === 'replace')
    return {
      ...base,
      replaced: event.replacement.user,
      because: event.replacement.because,
      asked: [...waitingFor(approval)],
    };
  if (event.type === 'escalate') return { ...base, escalated_to: [...event.managers] };
  return base;
}

function draft(approval: Approval, action: string, who: { actor: Actor; trace_id?: string }): TransitionDraft {
  const { start } = approval;
  return {
    trace_id: who.trace_id ?? start.trace_id,
    event: {
      action,
      actor: who.actor,
      on_behalf_of: null,
      subject: { kind: 'approval', id: start.approval_id },
      outcome: 'ok',
      task_id: start.task_id,
      session_id: start.session_id,
      policies: [],
      privacy: {},
      details: {},
    },
    projection: { kind: 'approval', row: approvalProjection(approval) },
    audience: audience(approval),
    notices: [],
  };
}

/** The line for an approval that was asked for, and the question to its approvers. */
export function openedRecord(approval: Approval): TransitionDraft {
  const { start, compiled } = approval;
  const base = draft(approval, 'approval.requested', { actor: start.requester });
  const question = `Approval ${start.approval_id} waits for your decision until ${new Date(approval.due).toISOString()}.`;
  return {
    ...base,
    event: {
      ...base.event,
      policies: [...compiled.policies],
      details: { requirement: compiled.requirement.label, digest: compiled.digest },
    },
    notices: tell(asked(approval), 'info', 'Approval requested', question),
  };
}

/** The line for a change of an approval. */
export function changeRecord(approval: Approval, event: ApprovalEvent): TransitionDraft {
  const base = draft(approval, ACTIONS[event.type], actorOfEvent(event));
  const on_behalf_of = event.type === 'decide' ? event.checked.on_behalf_of : null;
  return {
    ...base,
    event: { ...base.event, on_behalf_of, details: detailsOf(approval, event) },
    notices: noticesOf(approval, event),
  };
}

/** The line for a request that was refused: no approval comes to exist, the attempt is on record. */
export const refusalRecord = (start: Approval['start'], code: string): TransitionDraft => ({
  trace_id: start.trace_id,
  event: {
    action: 'approval.refused',
    actor: start.requester,
    on_behalf_of: null,
    subject: { kind: 'approval', id: start.approval_id },
    outcome: 'denied',
    task_id: start.task_id,
    session_id: null,
    policies: [],
    privacy: {},
    details: { code },
  },
  audience: [],
  notices: [],
});
