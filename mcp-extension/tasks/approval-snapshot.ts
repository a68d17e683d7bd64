import type { ApprovalView } from '../../contracts/approvals.ts';
import { approvalDetails } from '../text/approvals.ts';
import type { TaskSnapshot } from './task.ts';

const POLL_MS = 2_000;

/** An approval as a task of the protocol: whatever people answer is its result; only `approved` lets an action run. */
export function approvalSnapshot(approval: ApprovalView): TaskSnapshot {
  const base = {
    taskId: approval.id,
    statusMessage: messageOf(approval),
    createdAt: approval.created_at,
    lastUpdatedAt: approval.updated_at,
    ttlMs: null,
    pollIntervalMs: POLL_MS,
  };
  switch (approval.status) {
    case 'pending':
    case 'changes_requested':
      return { ...base, status: 'working' };
    case 'withdrawn':
      return { ...base, status: 'cancelled' };
    default:
      return { ...base, status: 'completed', result: resultOf(approval) };
  }
}

function messageOf({ status, waiting_for, due_by }: ApprovalView): string {
  if (status === 'pending') return `waits for ${waiting_for.slice(0, 10).join(', ') || 'approvers'} until ${due_by}`;
  if (status === 'changes_requested') return 'changes were requested: the requester has to revise it';
  return status;
}

function resultOf(approval: ApprovalView): NonNullable<TaskSnapshot['result']> {
  const mark = approval.status === 'approved' ? '✅' : '❌';
  const text = `${mark} The approval is ${approval.status}.\n${approvalDetails(approval)}`;
  return { content: [{ type: 'text', text }], structuredContent: { ...approval } };
}
