import type { ApprovalView, RedemptionReceipt } from '../../contracts/approvals.ts';
import { field, lines, list, masked, value } from './lines.ts';

/** One line of a list of approvals. */
export const approvalLine = (approval: ApprovalView): string =>
  `${approval.id} [${approval.status}] ${approval.subject ?? approval.reason?.slice(0, 80) ?? 'approval'} ` +
  `(from ${approval.requester}, needs ${approval.requirement}, due ${approval.due_by})`;

/** What list_approvals answers. */
export const approvalList = ({
  approvals,
  next_cursor,
}: {
  approvals: ApprovalView[];
  next_cursor: string | null;
}): string =>
  lines(
    list(`${String(approvals.length)} approvals:`, approvals.map(approvalLine), 'No approvals.'),
    next_cursor !== null && `There are more: call again with cursor "${next_cursor}".`,
  );

/** An approval with everything an approver needs to know. */
export const approvalDetails = (approval: ApprovalView): string =>
  lines(
    field('Approval ID', approval.id),
    field('Status', approval.status),
    field('Subject', approval.subject),
    field('Original Task', approval.task_id),
    field('Session ID', approval.session_id),
    field('Requester', approval.requester),
    field('Needs', approval.requirement),
    field('Waiting for', approval.waiting_for.join(', ')),
    field('Reason', approval.reason),
    value('Action', approval.action),
    value('Evidence', approval.evidence),
    ...approval.votes.map((vote) => `- ${vote.by}: ${vote.verdict}${vote.comment ? ` (${vote.comment})` : ''}`),
    field('Due', approval.due_by),
    field('Redeemed', approval.redeemed_at),
    masked(approval.masked),
    field('Possible now', approval.allowed.join(', ')),
    field('Trace ID', approval.trace_id),
  );

/** What request_approval answers, with the fields that older clients read. */
export const requestedApproval = (approval: ApprovalView, input: Record<string, unknown>): string =>
  lines(
    input['decision'] === undefined || input['decision'] === 'pending'
      ? '✅ Approval requested. Only the status "approved" lets the action run.'
      : `✅ Decision recorded: the approval is ${approval.status}.`,
    field('Task ID (Approval Request)', approval.id),
    field('Approver Role', typeof input['approver_role'] === 'string' ? input['approver_role'] : undefined),
    approvalDetails(approval),
    `Use fetch_status with task_id "${approval.id}" to learn the decision.`,
  );

/** What deciding and revising answer. */
export const changedApproval = (approval: ApprovalView): string =>
  lines(`✅ Done: the approval is ${approval.status}.`, approvalDetails(approval));

/** What redeem_approval answers. */
export const redeemedApproval = (receipt: RedemptionReceipt): string =>
  lines(
    '✅ Approval redeemed: run exactly this action now, once.',
    field('Approval ID', receipt.approval_id),
    value('Action', receipt.action),
    field('Approved by', receipt.approved_by.join(', ')),
    field('Digest', receipt.digest),
    field('Trace ID', receipt.trace_id),
  );
