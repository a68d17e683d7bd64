import { whoAmI } from '../../contracts/agents.ts';
import { getApproval, respondToApproval } from '../../contracts/approvals.ts';
import { listDelegations } from '../../contracts/delegations.ts';
import type { ApprovalView } from '../../contracts/approvals.ts';
import type { CallApi, CallOptions } from '../api-client.ts';
import type { FormDecision } from './question.ts';

/** The approval as the person at the client sees it, where that person may decide it now; undefined otherwise. */
export async function decidable(
  person: CallApi,
  approvalId: string,
  options: CallOptions,
): Promise<ApprovalView | undefined> {
  const me = await person(whoAmI, {}, options);
  // An agent's key is nobody's hand: only a person is asked.
  if (me.kind !== 'user') return undefined;
  const approval = await person(getApproval, { approval_id: approvalId }, options);
  if (approval.status !== 'pending' || approval.requester === me.id) return undefined;
  if (approval.waiting_for.includes(me.id)) return approval;
  const { delegations } = await person(listDelegations, {}, options);
  const now = new Date().toISOString();
  const standsIn = delegations.some(
    ({ delegate_id, user_id, valid_from, valid_until }) =>
      delegate_id === me.id && valid_from <= now && now < valid_until && approval.waiting_for.includes(user_id),
  );
  return standsIn ? approval : undefined;
}

/** Gives a person's decision, unless the request is no longer the one the person saw; undefined then. */
export async function decideAs(
  person: CallApi,
  seen: Pick<ApprovalView, 'id' | 'revision' | 'digest'>,
  decision: FormDecision,
  options: CallOptions,
): Promise<ApprovalView | undefined> {
  const now = await person(getApproval, { approval_id: seen.id }, options);
  if (now.revision !== seen.revision || now.digest !== seen.digest) return undefined;
  return person(respondToApproval, { approval_id: seen.id, ...decision }, options);
}
