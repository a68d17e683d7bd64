import { approvalContentOf } from '../../contracts/approvals.ts';
import type { ApprovalContent, ApprovalStatus, ApprovalView } from '../../contracts/approvals.ts';
import type { Json } from '../../contracts/json.ts';
import type { Principal } from '../../contracts/principal.ts';
import type { ApprovalRow } from '../../db/approvals.ts';
import type { Resource } from '../../policy/resource.ts';
import type { ApiDeps } from '../deps.ts';
import { inClear, iso, isoOrNull, maskedSummary } from '../views.ts';

function allowedIn(row: ApprovalRow): ApprovalView['allowed'] {
  const open: readonly ApprovalStatus[] = ['pending', 'changes_requested'];
  if (open.includes(row.status))
    return row.status === 'pending' ? ['respond', 'revise', 'withdraw'] : ['revise', 'withdraw'];
  const redeemable =
    row.status === 'approved' &&
    row.redeemed_at === null &&
    row.redeem_by !== null &&
    row.redeem_by.getTime() > Date.now();
  return redeemable ? ['redeem'] : [];
}

/** Approvals as a reader sees them: one look-up of pseudonyms for all of them. */
export async function approvalViews(
  { guard }: ApiDeps,
  reader: Principal,
  rows: readonly ApprovalRow[],
): Promise<ApprovalView[]> {
  const masked = rows.map((row) => ({ content: row.content_masked, comments: row.votes.map((vote) => vote.comment) }));
  const clear = await inClear(guard, reader, masked);
  return rows.map((row, at) => approvalView(row, contentIn(clear[at]?.content), clear[at]?.comments ?? [], reader));
}

/** Content that was erased, or is not masked yet, shows as none. */
const contentIn = (stored: unknown): ApprovalContent | null =>
  stored === null || stored === undefined ? null : approvalContentOf(stored);

function approvalView(
  row: ApprovalRow,
  content: ApprovalContent | null,
  comments: readonly (string | null)[],
  reader: Principal,
): ApprovalView {
  return {
    id: row.id,
    approval_id: row.id,
    status: row.status,
    subject: content?.subject ?? null,
    task_id: row.task_id,
    session_id: row.session_id,
    reason: content?.reason ?? null,
    evidence: content?.evidence ?? null,
    action: (content?.action ?? null) as Json,
    digest: row.digest,
    editable: content?.editable ?? null,
    requester: row.requester_id,
    waiting_for: [...row.waiting_for],
    requirement: row.requirement,
    votes: row.votes.map(({ by, on_behalf_of, verdict, edited, at: when }, at) => ({
      by,
      on_behalf_of,
      verdict,
      edited,
      comment: comments[at] ?? null,
      at: when,
    })),
    revision: row.revision,
    due_by: iso(row.due_by),
    escalations: row.escalations,
    redeemed_at: isoOrNull(row.redeemed_at),
    masked: maskedSummary(row.content_found, reader.clearance),
    trace_id: row.trace_id,
    created_at: iso(row.created_at),
    updated_at: iso(row.updated_at),
    decided_at: isoOrNull(row.decided_at),
    allowed: allowedIn(row),
  };
}

/** An approval as policy sees it. */
export function approvalResource(row: ApprovalRow): Omit<Resource, 'organisation_id'> {
  const owners = [`${row.requester_kind}:${row.requester_id}`];
  if (row.requester_acts_for !== null) owners.push(`user:${row.requester_acts_for}`);
  return {
    kind: 'approval',
    owners,
    approvers: row.approvers.map((id) => `user:${id}`),
    agents_may_decide: row.agents_may_decide,
  };
}
