import { actorOf } from '../../contracts/actor.ts';
import { approvalWorkflowId, decideUpdate, verdictOf } from '../../contracts/approvals.ts';
import type { ApprovalView, Decision, DecisionWord } from '../../contracts/approvals.ts';
import type { z } from 'zod';
import type { Json } from '../../contracts/json.ts';
import { findApproval } from '../../db/approvals.ts';
import type { ApprovalRow } from '../../db/approvals.ts';
import { approvalsWaitingFor } from '../../db/approvals.ts';
import { delegatorsOf } from '../../db/delegations.ts';
import type { Call } from '../call.ts';
import { withOptionalContent } from '../content.ts';
import type { ApiDeps } from '../deps.ts';
import { decisionOn, recordRefusal, toolsOf } from '../permission.ts';
import { ApiError, notFound } from '../problem.ts';
import { ask } from '../workflows.ts';
import { approvalResource, approvalViews } from './view.ts';

/** Users that the caller could decide for now: itself, and those who delegated to it. */
export async function decidesFor({ database }: ApiDeps, { principal }: Pick<Call, 'principal'>): Promise<string[]> {
  const self = principal.kind === 'agent' ? principal.acts_for : principal.id;
  if (self === null) return [];
  return [self, ...(await database.inOrganisation(principal.organisation_id, (sql) => delegatorsOf(sql, self)))];
}

/** The approval's row, whoever asks; another organisation's does not exist. */
export async function approvalRow(
  { database }: ApiDeps,
  { principal }: Pick<Call, 'principal'>,
  id: string,
): Promise<ApprovalRow> {
  const row = await database.inOrganisation(principal.organisation_id, (sql) => findApproval(sql, id));
  if (!row) throw notFound(`Approval ${id}`);
  return row;
}

/** The approval as the caller sees it. */
export async function viewOf(deps: ApiDeps, call: Call, row: ApprovalRow): Promise<ApprovalView> {
  const [view] = await approvalViews(deps, call.principal, [row]);
  if (!view) throw notFound(`Approval ${row.id}`);
  return view;
}

/** The refusal that an approval which has ended answers every decision with. */
export function endedRefusal(row: ApprovalRow): ApiError {
  const last = row.votes.at(-1);
  const facts = {
    state: row.status,
    ...(last && { decided_by: last.by, decided_at: last.at, decision: last.verdict }),
  };
  if (row.status === 'expired')
    return new ApiError({ code: 'approval_expired', detail: 'Nobody decided in time; the approval expired.', facts });
  const who = last ? ` by ${last.by} at ${last.at}` : '';
  return new ApiError({ code: 'approval_already_decided', detail: `The approval was ${row.status}${who}.`, facts });
}

/** Policy with delegations: whoever may decide for an approver is asked as that approver. */
async function requireApprover(deps: ApiDeps, call: Call, row: ApprovalRow): Promise<void> {
  const delegates = await decidesFor(deps, call);
  const resource = approvalResource(row);
  const standsFor = delegates.some((user) => row.approvers.includes(user))
    ? [`${call.principal.kind}:${call.principal.id}`]
    : [];
  const decision = decisionOn(call.principal, 'approval:decide', {
    ...resource,
    ...(await toolsOf(deps, call.principal)),
    approvers: [...(resource.approvers ?? []), ...standsFor, ...roleAgent(call, row)],
  });
  if (decision.allow) return;
  await recordRefusal(deps, call, {
    action: 'approval:decide',
    kind: 'approval',
    id: row.id,
    policies: decision.policies,
  });
  throw new ApiError({ code: 'not_an_approver', detail: decision.reason, facts: { policies: decision.policies } });
}

/** Where agents may decide, an agent of a whole role is let through to the workflow, which knows the role's people. */
const roleAgent = ({ principal }: Call, row: ApprovalRow): string[] =>
  row.agents_may_decide && principal.kind === 'agent' && principal.acts_for === null ? [`agent:${principal.id}`] : [];

export interface DecisionInput {
  readonly decision: z.output<typeof DecisionWord>;
  readonly comment?: string | undefined;
  readonly edits?: Record<string, Json> | undefined;
}

/** Gives a decision: an update of the workflow, whose answer is the caller's answer. */
export async function decide(
  deps: ApiDeps,
  call: Call,
  row: ApprovalRow,
  { decision, comment, edits }: DecisionInput,
): Promise<ApprovalView> {
  await requireApprover(deps, call, row);
  const words =
    comment === undefined && edits === undefined ? null : { comment: comment ?? null, edits: edits ?? null };
  return withOptionalContent(deps, call, words, (content) =>
    askDecision(deps, call, row.id, {
      decision_id: call.id,
      actor: actorOf(call.principal),
      trace_id: call.traceId,
      verdict: verdictOf(decision),
      content,
      edits: edits !== undefined,
    }),
  );
}

async function askDecision(deps: ApiDeps, call: Call, id: string, message: Decision): Promise<ApprovalView> {
  const workflowId = approvalWorkflowId(call.principal.organisation_id, id);
  const state = await ask(deps, call, workflowId, decideUpdate, message);
  const after = await approvalRow(deps, call, id);
  const repeated = after.votes.some((vote) => vote.by === call.principal.id && vote.verdict === message.verdict);
  if (!state && !repeated) throw endedRefusal(after);
  return viewOf(deps, call, after);
}

/** The one approval of a task that waits for the caller, for clients that name the task only. */
export async function onlyApprovalOf(deps: ApiDeps, call: Call, taskId: string): Promise<ApprovalRow> {
  const users = await decidesFor(deps, call);
  const rows = await deps.database.inOrganisation(call.principal.organisation_id, (sql) =>
    approvalsWaitingFor(sql, users, taskId, 2),
  );
  const [row, other] = rows;
  if (!row) throw notFound(`An approval of task ${taskId} that waits for you`);
  if (other)
    throw new ApiError({
      code: 'ambiguous_approval',
      detail: `Several approvals of task ${taskId} wait for you.`,
      facts: { approvals: rows.map(({ id }) => id) },
    });
  return row;
}
