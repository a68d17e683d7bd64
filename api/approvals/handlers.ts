import { actorOf } from '../../contracts/actor.ts';
import {
  APPROVAL_WORKFLOW,
  approvalContentOf,
  approvalWorkflowId,
  Approvers,
  getApproval,
  listApprovals,
  openedUpdate,
  redeemApproval,
  redeemUpdate,
  requestApproval,
  respondToApproval,
  reviseApproval,
  reviseUpdate,
  withdrawApproval,
  withdrawUpdate,
} from '../../contracts/approvals.ts';
import type {
  ApprovalContent,
  ApprovalStart,
  ApprovalState,
  ApprovalView,
  ApprovalWorkflow,
  Redemption,
  RedemptionReceipt,
  RequestApproval,
} from '../../contracts/approvals.ts';
import type { ProposedAction } from '../../contracts/approvals.ts';
import type { Json } from '../../contracts/json.ts';
import { durationSeconds } from '../../contracts/time.ts';
import { listApprovals as queryApprovals } from '../../db/approvals.ts';
import { digestOf } from '../../platform/digest.ts';
import { notASchema } from '../../platform/json-schema.ts';
import { principalTags } from '../../policy/tags.ts';
import type { Call } from '../call.ts';
import { withContent } from '../content.ts';
import type { ApiDeps } from '../deps.ts';
import { toApiError } from '../errors.ts';
import { mount } from '../http.ts';
import type { Mounting } from '../http.ts';
import { decisionOn, requirePermission } from '../permission.ts';
import { ApiError, notFound } from '../problem.ts';
import { afterOf, pageOf } from '../views.ts';
import { ask, startWithContent } from '../workflows.ts';
import type { Start } from '../workflows.ts';
import { approvalRow, decide, decidesFor, endedRefusal, onlyApprovalOf, viewOf } from './decide.ts';
import { approvalResource, approvalViews } from './view.ts';

const invalid = (pointer: string, detail: string): ApiError =>
  new ApiError({ code: 'invalid_input', detail: `${pointer}: ${detail}` }, [{ pointer, detail }]);

function contentOf(input: RequestApproval): ApprovalContent {
  const approvers = input.approvers ?? (input.approver_role && Approvers.parse({ roles: [input.approver_role] }));
  if (!approvers) throw invalid('/approvers', 'is missing: name approvers or approver_role');
  if (!input.task_id && !input.session_id && !input.subject)
    throw invalid('/subject', 'is missing: give task_id, session_id or subject');
  const fault = input.editable && notASchema(input.editable);
  if (fault !== undefined) throw invalid('/editable', fault);
  return {
    subject: input.subject ?? null,
    reason: input.reason ?? null,
    evidence: input.evidence ?? null,
    action: input.action ?? null,
    editable: input.editable ?? null,
    approvers,
  };
}

const startOf = ({ principal, id, traceId }: Call, input: RequestApproval, content: string): ApprovalStart => ({
  organisation_id: principal.organisation_id,
  approval_id: id,
  trace_id: traceId,
  requester: actorOf(principal),
  requester_role: principal.role,
  task_id: input.task_id ?? null,
  session_id: input.session_id ?? null,
  content,
  due_seconds: durationSeconds(input.due_in),
  remind_seconds: input.remind_every === undefined ? null : durationSeconds(input.remind_every),
  on_expiry: input.on_expiry,
  agents_may_decide: input.agents_may_decide,
});

async function open(deps: ApiDeps, call: Call, input: RequestApproval): Promise<ApprovalView> {
  const { organisation_id, role } = call.principal;
  const startWith = (content: string): Start<[ApprovalStart]> => {
    const start = startOf(call, input, content);
    const workflowId = approvalWorkflowId(organisation_id, call.id);
    return { type: APPROVAL_WORKFLOW, workflowId, args: [start], kind: 'approval', role, session: start.session_id };
  };
  await startWithContent<ApprovalWorkflow, ApprovalState>(deps, call, contentOf(input), startWith, openedUpdate);
  // A repetition may meet an approval that has ended: its answer is the approval as it is now.
  return viewOf(deps, call, await approvalRow(deps, call, call.id));
}

/** POST /approvals with a decision, as older clients send it: named by approval, or by a task with one that waits. */
async function decideByTask(deps: ApiDeps, call: Call, input: RequestApproval): Promise<ApprovalView> {
  const { decision, approval_id, task_id, comments } = input;
  if (decision === undefined || decision === 'pending') throw invalid('/decision', 'is missing');
  if (approval_id === undefined && task_id === undefined)
    throw invalid('/approval_id', 'is missing: name the approval, or its task_id');
  const row =
    approval_id === undefined
      ? await onlyApprovalOf(deps, call, task_id ?? '')
      : await approvalRow(deps, call, approval_id);
  return decide(deps, call, row, { decision, comment: comments });
}

/** An approval that the caller may read; whoever may not is told that it does not exist. */
export async function readableApproval(deps: ApiDeps, call: Call, id: string) {
  const row = await approvalRow(deps, call, id);
  const own = decisionOn(call.principal, 'approval:read', approvalResource(row)).allow;
  const delegated = own || (await decidesFor(deps, call)).some((user) => row.approvers.includes(user));
  if (!delegated) throw notFound(`Approval ${id}`);
  return row;
}

async function revise(
  deps: ApiDeps,
  call: Call,
  id: string,
  changes: Partial<Pick<ApprovalContent, 'reason' | 'evidence' | 'action'>>,
): Promise<ApprovalView> {
  const row = await approvalRow(deps, call, id);
  await requirePermission(deps, call, 'approval:revise', approvalResource(row), id);
  if (row.content_masked === null) throw notFound(`The content of approval ${id}`);
  const workflowId = approvalWorkflowId(call.principal.organisation_id, id);
  await withContent(deps, call, { ...approvalContentOf(row.content_masked), ...changes }, async (content) => {
    const message = { actor: actorOf(call.principal), trace_id: call.traceId, content };
    const state = await ask(deps, call, workflowId, reviseUpdate, message);
    if (!state) throw endedRefusal(await approvalRow(deps, call, id));
  });
  return viewOf(deps, call, await approvalRow(deps, call, id));
}

async function withdraw(deps: ApiDeps, call: Call, id: string, because: string | null): Promise<ApprovalView> {
  const row = await approvalRow(deps, call, id);
  await requirePermission(deps, call, 'approval:withdraw', approvalResource(row), id);
  // The reason is prose and may hold anything: masked before it enters a history.
  const masked = because === null ? null : await deps.guard.mask(call.principal.organisation_id, because);
  const message = {
    actor: actorOf(call.principal),
    trace_id: call.traceId,
    because: typeof masked?.value === 'string' ? masked.value : null,
  };
  const state = await ask(deps, call, approvalWorkflowId(call.principal.organisation_id, id), withdrawUpdate, message);
  if (!state) throw endedRefusal(await approvalRow(deps, call, id));
  return viewOf(deps, call, await approvalRow(deps, call, id));
}

/**
 * The digest is taken of the masked action, as it was when the approval was asked for: pseudonyms are deterministic, so
 * the same action has the same digest whether the caller sees values or their pseudonyms.
 */
async function redeem(deps: ApiDeps, call: Call, id: string, action: ProposedAction): Promise<RedemptionReceipt> {
  const { principal } = call;
  const row = await approvalRow(deps, call, id);
  await requirePermission(deps, call, 'approval:redeem', approvalResource(row), id);
  // Parsed from JSON; only `target?: undefined` keeps the compiler from seeing that it is JSON.
  const masked = await deps.guard.mask(principal.organisation_id, action as unknown as Json);
  const digest = digestOf(masked.value) ?? '';
  const message = { redemption_id: call.id, actor: actorOf(principal), trace_id: call.traceId, digest };
  await askRedemption(deps, call, id, message);
  const view = await viewOf(deps, call, await approvalRow(deps, call, id));
  return {
    approval_id: id,
    digest,
    redeemed_at: view.redeemed_at ?? new Date().toISOString(),
    action: view.action,
    approved_by: view.votes.filter((vote) => vote.verdict === 'approve').map((vote) => vote.by),
    trace_id: call.traceId,
  };
}

/** An approval that ends while the question is on its way refuses as one that has ended: its row tells why. */
async function askRedemption(deps: ApiDeps, call: Call, id: string, message: Redemption): Promise<void> {
  const workflowId = approvalWorkflowId(call.principal.organisation_id, id);
  try {
    if (await ask(deps, call, workflowId, redeemUpdate, message)) return;
  } catch (error) {
    if (toApiError(error)?.code !== 'approval_already_decided') throw error;
  }
  throw redemptionRefusal(await approvalRow(deps, call, id));
}

function redemptionRefusal(row: Awaited<ReturnType<typeof approvalRow>>): ApiError {
  if (row.redeemed_at)
    return new ApiError({ code: 'already_redeemed', detail: `It was redeemed at ${row.redeemed_at.toISOString()}.` });
  if (row.status === 'approved' && row.digest === null)
    return new ApiError({ code: 'not_approved', detail: 'The approval is not bound to an action.' });
  const lapsed = row.status === 'expired' || row.status === 'approved';
  return lapsed
    ? new ApiError({
        code: 'approval_expired',
        detail: 'The approval was not used in time.',
        facts: { state: row.status },
      })
    : new ApiError({ code: 'not_approved', detail: `The approval is ${row.status}.`, facts: { state: row.status } });
}

/** Routes of approvals. */
export function mountApprovals(mounting: Mounting): void {
  const { deps } = mounting;
  mount(
    mounting,
    requestApproval,
    (input, call) =>
      input.decision === undefined || input.decision === 'pending'
        ? open(deps, call, input)
        : decideByTask(deps, call, input),
    { creates: 'approval' },
  );

  mount(mounting, listApprovals, async (input, call) => {
    const { principal } = call;
    const mine = input.assignee === 'me';
    const after = afterOf(input.cursor);
    const tags = mine
      ? (await decidesFor(deps, call)).map((user) => `waiting:${user}`)
      : principal.administrator
        ? null
        : principalTags(principal);
    const rows = await deps.database.inOrganisation(principal.organisation_id, (sql) =>
      queryApprovals(sql, {
        tags,
        status: input.status,
        task_id: input.task_id,
        session_id: input.session_id,
        after,
        ascending: input.sort === 'created',
        limit: input.limit + 1,
      }),
    );
    const page = pageOf(rows, input.limit);
    return { approvals: await approvalViews(deps, principal, page.rows), next_cursor: page.next };
  });

  mount(mounting, getApproval, async ({ approval_id }, call) =>
    viewOf(deps, call, await readableApproval(deps, call, approval_id)),
  );

  mount(mounting, respondToApproval, async ({ approval_id, ...decision }, call) =>
    decide(deps, call, await approvalRow(deps, call, approval_id), decision),
  );

  mount(mounting, reviseApproval, ({ approval_id, ...changes }, call) => {
    const given = Object.fromEntries(Object.entries(changes).filter(([, value]) => value !== undefined));
    return revise(deps, call, approval_id, given);
  });

  mount(mounting, withdrawApproval, ({ approval_id, reason }, call) =>
    withdraw(deps, call, approval_id, reason ?? null),
  );

  mount(mounting, redeemApproval, ({ approval_id, action }, call) => redeem(deps, call, approval_id, action));
}
