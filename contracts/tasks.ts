import { z } from 'zod';

import { MaskedSummary } from './content.ts';
import { AgentId, SessionId, TaskId, UserId } from './ids.ts';
import { jsonBytes, JsonMap, JsonObject, JsonSchema, JsonValue, MAX_PAYLOAD_BYTES } from './json.ts';
import { defineOperation } from './operation.ts';
import { NextCursor, pageFields } from './paging.ts';
import { Role } from './principal.ts';
import { AllowedVerb, TaskReceipt, TaskState, TaskStatus } from './task-workflow.ts';
import { Duration, Timestamp } from './time.ts';

export * from './task-workflow.ts';

const Text = z.string().max(20_000);
const ShortText = z.string().min(1).max(200);
const Slug = z.string().min(1).max(100);

export const Sla = z
  .strictObject({
    respond_within: Duration.optional().describe('Somebody must claim it within this time'),
    complete_within: Duration.optional().describe('It must be completed within this time'),
  })
  .describe('Promised times; they stop while the session is paused');

/** The richer fields of a task, beside the nested `task` of older clients. */
const requestFields = {
  type: Slug.optional().describe('What kind of work, e.g. budget_approval'),
  title: ShortText.optional().describe('One line for lists'),
  description: Text.optional().describe('What is to be done, in prose'),
  payload: JsonObject.optional().describe('The data of the task, at most 256 KiB of JSON'),
  skills: z.array(Slug).max(20).default([]).describe('Skills the receiver must have'),
  priority: z.number().int().min(1).max(5).default(3).describe('1 is most urgent, 5 least'),
  session_id: SessionId.optional().describe('The session this belongs to'),
  parent_task_id: TaskId.optional().describe('The task this is a part of; cancelling that cancels this'),
  sla: Sla.optional(),
  output_schema: JsonSchema.optional().describe('JSON Schema that the result must fit'),
  lease: Duration.default('5m').describe('How long a claim holds without a sign of progress'),
  max_attempts: z.number().int().min(1).max(10).default(3).describe('Lost leases until it is parked as stalled'),
};

const NAMED_KEYS = new Set(['task_type', 'type', 'title', 'description', 'data']);
const furtherKeysOf = (task: Readonly<Record<string, unknown>>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(task).filter(([key]) => !NAMED_KEYS.has(key)));

/** The nested task of older clients: `task_type` or `type`, and any further keys, which become the payload. */
const NestedTask = z
  .looseObject({
    task_type: Slug.optional(),
    type: Slug.optional(),
    title: ShortText.optional(),
    description: Text.optional(),
    data: JsonObject.optional(),
  })
  .refine((task) => jsonBytes(furtherKeysOf(task)) <= MAX_PAYLOAD_BYTES, {
    error: 'has further keys of more than 256 KiB of JSON; store them elsewhere and send a reference',
  })
  .describe('The task in the form of older clients: {task_type, description, data}');

export const RouteTask = z
  .strictObject({
    target: z.string().min(1).max(60).describe('Who shall do it: a role (finance), an agent id or a user id'),
    ...requestFields,
    task: NestedTask.optional(),
    context: JsonObject.optional().describe('Background for the receiver'),
  })
  .refine((input) => input.type ?? input.task?.type ?? input.task?.task_type, {
    path: ['type'],
    error: 'is missing: say what kind of work this is (type, or task.task_type)',
  });
export type RouteTask = z.output<typeof RouteTask>;

/** Text and data of a task as they are stored, masked. */
export interface TaskContent {
  readonly type: string;
  readonly title: string;
  readonly description: string | null;
  readonly data: z.output<typeof JsonMap> | null;
  readonly context: z.output<typeof JsonMap> | null;
}

/** One content of both request forms: flat fields win over those of the nested task. */
export function taskContentOf({ task = {}, ...input }: RouteTask): TaskContent {
  const { task_type, type, title, description, data, ...rest } = task;
  const kind = input.type ?? type ?? task_type ?? 'task';
  const spread = Object.keys(rest).length > 0 ? (rest as z.output<typeof JsonMap>) : null;
  return {
    type: kind,
    title: input.title ?? title ?? kind,
    description: input.description ?? description ?? null,
    data: input.payload ?? data ?? spread,
    context: input.context ?? null,
  };
}

/** What a reader sees of a task; texts in clear only where its clearance allows. */
export const TaskView = z.object({
  id: TaskId,
  task_id: TaskId.describe('The same as id'),
  task_type: z.string(),
  title: z.string(),
  description: z.string().nullable(),
  data: JsonValue.nullable().describe('The payload'),
  context: JsonValue.nullable(),
  source: z.string().describe('Who sent it: agent or user id'),
  target: z.string(),
  role: Role.describe('The role that the work belongs to'),
  assignee: z.string().nullable(),
  status: TaskStatus,
  paused: z.boolean().describe('Held because its session, agent, role or organisation is paused'),
  reason: z.string().nullable().describe('Why it failed, was declined or is stalled'),
  result: JsonValue.nullable(),
  progress: z.number().nullable().describe('Percent, as last reported'),
  priority: z.number(),
  attempts: z.number(),
  lease_until: Timestamp.nullable(),
  respond_by: Timestamp.nullable(),
  complete_by: Timestamp.nullable(),
  sla_breached: z.boolean(),
  escalated_to: z.string().nullable().describe('Manager the task was last escalated to'),
  session_id: SessionId.nullable(),
  parent_task_id: TaskId.nullable(),
  output_schema: JsonMap.nullable(),
  masked: MaskedSummary,
  trace_id: z.string(),
  created_at: Timestamp,
  updated_at: Timestamp,
  completed_at: Timestamp.nullable(),
  allowed: z.array(AllowedVerb).describe('What can be done in this state'),
});
export type TaskView = z.infer<typeof TaskView>;

const WORK_ERRORS = ['not_found', 'forbidden', 'illegal_transition'] as const;
const taskIn = { task_id: TaskId };

export const routeTask = defineOperation({
  name: 'send_task',
  method: 'post',
  path: '/tasks/route',
  summary: 'Hand a task to another agent, person or role.',
  description: 'Answers at once with the task id, who got it and what was masked. Read its progress with fetch_status.',
  input: RouteTask,
  // The type, flat or nested.
  bodyRule: {
    anyOf: [
      { required: ['type'] },
      { required: ['task'], properties: { task: { anyOf: [{ required: ['type'] }, { required: ['task_type'] }] } } },
    ],
  },
  output: TaskReceipt,
  action: 'task:send',
  status: 202,
  errors: ['forbidden', 'unknown_target', 'not_found', 'illegal_transition', 'payload_too_large', 'tree_too_large'],
  tool: { title: 'Send a task', wrapped: true },
});

export const TaskList = z.object({ tasks: z.array(TaskView), next_cursor: NextCursor });
export const listTasks = defineOperation({
  name: 'list_tasks',
  method: 'get',
  path: '/tasks',
  summary: 'List tasks that you sent, that you may claim or that you work on.',
  input: z.strictObject({
    ...pageFields,
    assignee: z
      .union([z.literal('me'), AgentId, UserId])
      .optional()
      .describe("'me': work assigned to you or waiting for your role"),
    target: z.string().min(1).max(60).optional().describe('Tasks sent to this role, agent or user'),
    status: TaskStatus.optional(),
    session_id: SessionId.optional(),
    parent_task_id: TaskId.optional(),
  }),
  output: TaskList,
  action: 'task:read',
  bareList: 'tasks',
  tool: { title: 'List tasks', readOnly: true },
});

export const getTask = defineOperation({
  name: 'get_task',
  method: 'get',
  path: '/tasks/{task_id}',
  summary: 'Read one task.',
  input: z.strictObject(taskIn),
  output: TaskView,
  action: 'task:read',
  errors: ['not_found'],
});

export const claimTask = defineOperation({
  name: 'claim_task',
  method: 'post',
  path: '/tasks/{task_id}/claim',
  summary: 'Take a task to work on it. The claim is a lease: report progress before it runs out.',
  input: z.strictObject({
    ...taskIn,
    lease: Duration.optional().describe('How long the lease shall hold; as the task says unless given'),
  }),
  output: TaskView,
  action: 'task:claim',
  errors: [...WORK_ERRORS, 'too_many_claims'],
  tool: { title: 'Claim a task' },
});

export const reportProgress = defineOperation({
  name: 'report_progress',
  method: 'post',
  path: '/tasks/{task_id}/progress',
  summary: 'Say how far you are; renews your lease.',
  input: z.strictObject({
    ...taskIn,
    percent: z.number().min(0).max(100).optional().describe('How much is done, 0 to 100'),
    note: Text.optional().describe('What you are doing'),
  }),
  output: TaskState,
  action: 'task:progress',
  errors: WORK_ERRORS,
  tool: { title: 'Report progress' },
});

export const completeTask = defineOperation({
  name: 'complete_task',
  method: 'post',
  path: '/tasks/{task_id}/complete',
  summary: 'Finish a task with its result.',
  input: z.strictObject({
    ...taskIn,
    result: JsonValue.optional().describe('The result; must fit output_schema where the task has one'),
  }),
  output: TaskState,
  action: 'task:complete',
  errors: [...WORK_ERRORS, 'output_mismatch'],
  tool: { title: 'Complete a task' },
});

const reasonIn = { ...taskIn, reason: Text.min(1).describe('Why, for the sender') };
export const failTask = defineOperation({
  name: 'fail_task',
  method: 'post',
  path: '/tasks/{task_id}/fail',
  summary: 'Say that a task you claimed cannot be done.',
  input: z.strictObject(reasonIn),
  output: TaskState,
  action: 'task:fail',
  errors: WORK_ERRORS,
  tool: { title: 'Fail a task' },
});

export const declineTask = defineOperation({
  name: 'decline_task',
  method: 'post',
  path: '/tasks/{task_id}/decline',
  summary: 'Refuse a task that was assigned to you; another of the role is asked, or the sender is told.',
  input: z.strictObject(reasonIn),
  output: TaskState,
  action: 'task:decline',
  errors: WORK_ERRORS,
  tool: { title: 'Decline a task' },
});

export const handoffTask = defineOperation({
  name: 'handoff_task',
  method: 'post',
  path: '/tasks/{task_id}/handoff',
  summary: 'Pass your task on to another role, agent or user, with context.',
  input: z.strictObject({
    ...taskIn,
    target: z.string().min(1).max(60).describe('Role, agent id or user id'),
    context: JsonObject.optional().describe('What the next one must know'),
    reason: Text.optional().describe('Why you pass it on'),
  }),
  output: TaskState,
  action: 'task:handoff',
  errors: [...WORK_ERRORS, 'unknown_target'],
  tool: { title: 'Hand a task off' },
});

export const cancelTask = defineOperation({
  name: 'cancel_task',
  method: 'post',
  path: '/tasks/{task_id}/cancel',
  summary: 'Cancel a task, its children and their open approvals.',
  input: z.strictObject({ ...taskIn, reason: Text.optional().describe('Why') }),
  output: TaskState,
  action: 'task:cancel',
  errors: WORK_ERRORS,
  tool: { title: 'Cancel a task', destructive: true },
});

export const retryTask = defineOperation({
  name: 'retry_task',
  method: 'post',
  path: '/tasks/{task_id}/retry',
  summary: 'Give a failed, declined or stalled task another run.',
  input: z.strictObject(taskIn),
  output: TaskState,
  action: 'task:retry',
  errors: WORK_ERRORS,
  tool: { title: 'Retry a task' },
});
