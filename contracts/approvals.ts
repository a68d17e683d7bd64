import { z } from 'zod';

import { ApprovalPolicy } from './approval-policy.ts';
import { ApprovalStatus, DecisionWord, Vote } from './approval-workflow.ts';
import { MaskedSummary } from './content.ts';
import { ApprovalId, SessionId, TaskId, UserId } from './ids.ts';
import { JsonMap, JsonObject, JsonSchema, JsonValue } from './json.ts';
import { defineOperation } from './operation.ts';
import { NextCursor, pageFields } from './paging.ts';
import { Role } from './principal.ts';
import { Duration, Timestamp } from './time.ts';

export * from './approval-workflow.ts';

/** What is to be run once approved. Its digest binds the approval to exactly this. */
export const ProposedAction = z
  .strictObject({
    tool: z.string().min(1).max(200).describe('Name of the tool or operation'),
    arguments: JsonObject.describe('Its arguments, exactly as they will be used'),
    target: z.string().max(500).optional().describe('What it acts on'),
  })
  .describe('The action that the approval allows once, as it will run');
export type ProposedAction = z.infer<typeof ProposedAction>;

export const Approvers = z
  .strictObject({
    users: z.array(UserId).max(50).optional().describe('These people'),
    roles: z.array(Role).max(8).optional().describe('Anybody of these roles'),
    manager_of: UserId.optional().describe('The manager of this user'),
    rule: z.enum(['any', 'all']).default('any').describe('One of them, or every one (one per role)'),
    quorum: z.number().int().min(1).max(50).optional().describe('This many different people of them; overrides rule'),
    policy: z
      .union([ApprovalPolicy, z.string().min(1).max(60)])
      .optional()
      .describe("A policy, or the name of one in the sender's profile, e.g. spend; stands instead of the fields above"),
  })
  .refine(
    ({ policy, manager_of, users = [], roles = [] }) =>
      policy !== undefined || manager_of !== undefined || users.length > 0 || roles.length > 0,
    {
      error: 'names nobody: give users, roles, manager_of or policy',
    },
  )
  .meta({
    anyOf: [
      { required: ['users'], properties: { users: { minItems: 1 } } },
      { required: ['roles'], properties: { roles: { minItems: 1 } } },
      { required: ['manager_of'] },
      { required: ['policy'] },
    ],
  });
export type Approvers = z.infer<typeof Approvers>;

const Reason = z.string().max(5_000);
const requestFields = {
  task_id: TaskId.optional().describe('The task this is about'),
  session_id: SessionId.optional().describe('The session this is about'),
  subject: z.string().min(1).max(200).optional().describe('What it is about, where it is neither task nor session'),
  reason: Reason.optional().describe('Why the approval is needed'),
  evidence: JsonObject.optional().describe('What approvers need to see to decide'),
  approvers: Approvers.optional(),
  due_in: Duration.default('1d').describe('An answer is due within this time'),
  remind_every: Duration.optional().describe('Remind those who have not answered, this often'),
  on_expiry: z
    .enum(['deny', 'escalate'])
    .default('deny')
    .describe('When nobody answers in time; silence never approves'),
  editable: JsonSchema.optional().describe(
    'JSON Schema of the action arguments that an approver may set by approving with edits',
  ),
  action: ProposedAction.optional(),
  agents_may_decide: z.boolean().default(false).describe('Whether agents of the approvers may decide too'),
};

/** POST /approvals: asks for an approval, or with a `decision` gives one, as older clients do (COMPAT-2). */
export const RequestApproval = z.strictObject({
  ...requestFields,
  approver_role: Role.optional().describe('Short for approvers: {roles: [role]}'),
  approval_id: ApprovalId.optional().describe('With a decision: which approval'),
  decision: z
    .union([DecisionWord, z.literal('pending')])
    .optional()
    .describe('Gives a decision instead of asking for one'),
  comments: Reason.optional().describe('Comment on the decision'),
});
export type RequestApproval = z.infer<typeof RequestApproval>;

/** Text and data of an approval as they are stored: masked, hence without the limits of what is sent. */
const StoredApproval = z.object({
  subject: z.string().nullable(),
  reason: z.string().nullable(),
  evidence: JsonMap.nullable(),
  action: z.object({ tool: z.string(), arguments: JsonMap, target: z.string().optional() }).nullable(),
  editable: JsonMap.nullable(),
  approvers: Approvers,
});
export type ApprovalContent = z.infer<typeof StoredApproval>;

/** The content of an approval from the database; a fault there is ours, never the caller's. */
export function approvalContentOf(stored: unknown): ApprovalContent {
  const { success, data, error } = StoredApproval.safeParse(stored);
  if (success) return data;
  const places = error.issues.map(({ path, code }) => `${path.join('.')} (${code})`).join(', ');
  throw new Error(`The stored content of an approval is not one: ${places}.`);
}

export const ApprovalView = z.object({
  id: ApprovalId,
  approval_id: ApprovalId.describe('The same as id'),
  status: ApprovalStatus,
  subject: z.string().nullable(),
  task_id: TaskId.nullable(),
  session_id: SessionId.nullable(),
  reason: z.string().nullable(),
  evidence: JsonValue.nullable(),
  action: JsonValue.nullable().describe('The action as it would run, with the edits of approvers'),
  digest: z
    .string()
    .nullable()
    .describe('sha256 of the canonical action (RFC 8785), pseudonyms in place of personal values'),
  editable: JsonMap.nullable(),
  requester: z.string(),
  waiting_for: z.array(z.string()).describe('Users who can decide and have not'),
  requirement: z.string().describe('What is needed, in words'),
  votes: z.array(Vote),
  revision: z.number().describe('Counts what the requester changed'),
  due_by: Timestamp,
  escalations: z.number(),
  redeemed_at: Timestamp.nullable(),
  masked: MaskedSummary,
  trace_id: z.string(),
  created_at: Timestamp,
  updated_at: Timestamp,
  decided_at: Timestamp.nullable(),
  allowed: z.array(z.enum(['respond', 'revise', 'withdraw', 'redeem'])),
});
export type ApprovalView = z.infer<typeof ApprovalView>;

export const RedemptionReceipt = z.object({
  approval_id: ApprovalId,
  digest: z.string(),
  redeemed_at: Timestamp,
  action: JsonValue.nullable().describe('The approved action, in clear where your clearance allows'),
  approved_by: z.array(z.string()),
  trace_id: z.string(),
});
export type RedemptionReceipt = z.infer<typeof RedemptionReceipt>;
const approvalIn = { approval_id: ApprovalId };
const DECISION_ERRORS = ['not_found', 'not_an_approver', 'approval_already_decided', 'approval_expired'] as const;

const anyOf = (...names: readonly string[]) => ({ anyOf: names.map((name) => ({ required: [name] })) });
/** It asks somebody about something, or decides an approval that it names. */
const ASKS_OR_DECIDES = {
  anyOf: [
    {
      allOf: [anyOf('approvers', 'approver_role'), anyOf('task_id', 'session_id', 'subject')],
      properties: { decision: { const: 'pending' } },
    },
    {
      required: ['decision'],
      ...anyOf('approval_id', 'task_id'),
      properties: { decision: { not: { const: 'pending' } } },
    },
  ],
};

export const requestApproval = defineOperation({
  name: 'request_approval',
  method: 'post',
  path: '/approvals',
  summary: 'Ask people to approve something; answers at once, the decision comes later.',
  description:
    'Name approvers, or approver_role. Bind the approval to an `action` and redeem it before you run that action. ' +
    'With a `decision` this decides an approval instead of asking for one.',
  input: RequestApproval,
  output: ApprovalView,
  bodyRule: ASKS_OR_DECIDES,
  action: 'approval:request',
  status: 202,
  errors: [
    'forbidden',
    'not_found',
    'unknown_target',
    'no_eligible_approver',
    'ambiguous_approval',
    ...DECISION_ERRORS,
  ],
  tool: { title: 'Request an approval', wrapped: true },
});

export const listApprovals = defineOperation({
  name: 'list_approvals',
  method: 'get',
  path: '/approvals',
  summary: 'List approvals that you asked for or that wait for you.',
  input: z.strictObject({
    ...pageFields,
    status: ApprovalStatus.optional(),
    assignee: z.literal('me').optional().describe("'me': those that wait for your decision"),
    task_id: TaskId.optional(),
    session_id: SessionId.optional(),
  }),
  output: z.object({ approvals: z.array(ApprovalView), next_cursor: NextCursor }),
  action: 'approval:read',
  bareList: 'approvals',
  tool: { title: 'List approvals', readOnly: true },
});

export const getApproval = defineOperation({
  name: 'get_approval',
  method: 'get',
  path: '/approvals/{approval_id}',
  summary: 'Read one approval.',
  input: z.strictObject(approvalIn),
  output: ApprovalView,
  action: 'approval:read',
  errors: ['not_found'],
});

export const respondToApproval = defineOperation({
  name: 'decide_approval',
  method: 'post',
  path: '/approvals/{approval_id}/respond',
  summary: 'Decide an approval that is waiting for you.',
  input: z.strictObject({
    ...approvalIn,
    decision: DecisionWord,
    comment: Reason.optional().describe('For the requester'),
    edits: JsonObject.optional().describe('Action arguments to set, as the editable schema allows; only with approve'),
  }),
  output: ApprovalView,
  action: 'approval:decide',
  errors: [...DECISION_ERRORS, 'invalid_edits', 'illegal_transition'],
  tool: { title: 'Decide an approval' },
});

export const reviseApproval = defineOperation({
  name: 'revise_approval',
  method: 'post',
  path: '/approvals/{approval_id}/revise',
  summary: 'Change your request, after changes were asked for or before anybody decided; earlier votes are dropped.',
  input: z.strictObject({
    ...approvalIn,
    reason: Reason.optional(),
    evidence: JsonObject.optional(),
    action: ProposedAction.optional(),
  }),
  output: ApprovalView,
  action: 'approval:revise',
  errors: ['not_found', 'forbidden', 'illegal_transition', 'approval_already_decided', 'approval_expired'],
  tool: { title: 'Revise an approval request' },
});

export const withdrawApproval = defineOperation({
  name: 'withdraw_approval',
  method: 'post',
  path: '/approvals/{approval_id}/withdraw',
  summary: 'Take your request back.',
  input: z.strictObject({ ...approvalIn, reason: z.string().max(200).optional().describe('Why') }),
  output: ApprovalView,
  action: 'approval:withdraw',
  errors: ['not_found', 'forbidden', 'illegal_transition', 'approval_already_decided', 'approval_expired'],
});

export const redeemApproval = defineOperation({
  name: 'redeem_approval',
  method: 'post',
  path: '/approvals/{approval_id}/redeem',
  summary: 'Use an approval, once, for exactly the action that was approved. Run the action only after this succeeds.',
  input: z.strictObject({ ...approvalIn, action: ProposedAction }),
  output: RedemptionReceipt,
  action: 'approval:redeem',
  errors: ['not_found', 'forbidden', 'not_approved', 'already_redeemed', 'action_mismatch', 'approval_expired'],
  tool: { title: 'Redeem an approval' },
});
