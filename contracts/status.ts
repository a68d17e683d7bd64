import { z } from 'zod';

import { ApprovalView } from './approvals.ts';
import { SubjectId } from './ids.ts';
import { JsonValue } from './json.ts';
import { NotificationView } from './notifications.ts';
import { defineOperation } from './operation.ts';
import { SessionView, TimelineEntry } from './sessions.ts';
import { TaskView } from './tasks.ts';

const Wait = z
  .string()
  .regex(/^([0-9]|[1-5]\d|60)s$/, 'must be 0s to 60s')
  .default('0s');

export const StatusView = z.object({
  id: SubjectId,
  kind: z.enum(['task', 'approval', 'session', 'run', 'notification']),
  status: z.string(),
  result: JsonValue.nullable(),
  task: TaskView.nullable(),
  approval: ApprovalView.nullable(),
  session: SessionView.nullable(),
  notification: NotificationView.nullable(),
  approvals: z.array(ApprovalView).describe('Approvals of the task or session'),
  timeline: z.array(TimelineEntry).describe('The newest 100 events, oldest first'),
  trace_id: z.string(),
});
export type StatusView = z.infer<typeof StatusView>;

export const fetchStatus = defineOperation({
  name: 'fetch_status',
  method: 'get',
  path: '/status/{task_id}',
  summary: 'Read state, timeline, approvals and result of a task, approval, session or run.',
  description:
    'With `wait` it answers as soon as something happens to it, at once when it has ended; ask again with the status ' +
    'you know as `known_status` until then.',
  input: z.strictObject({
    task_id: SubjectId,
    wait: Wait.describe('How long to wait for a change, e.g. 30s'),
    known_status: z.string().max(30).optional().describe('The status you know; with another one it answers at once'),
  }),
  output: StatusView,
  action: 'task:read',
  errors: ['not_found'],
  tool: { title: 'Fetch status', readOnly: true, wrapped: true },
});

export const InboxView = z.object({
  tasks: z.array(TaskView).describe('Work that is assigned to you or waits for your role'),
  approvals: z.array(ApprovalView).describe('Approvals that wait for your decision'),
  notifications: z.array(NotificationView).describe('Newest notifications, those that must be acknowledged first'),
  cursor: z.string().describe('Send it as `after` to wait for news'),
});
export type InboxView = z.infer<typeof InboxView>;

export const readInbox = defineOperation({
  name: 'read_inbox',
  method: 'get',
  path: '/inbox',
  summary: 'What waits for you; with `wait`, answers as soon as something new comes.',
  input: z.strictObject({
    wait: Wait.describe('How long to wait when nothing is new, e.g. 30s'),
    after: z
      .string()
      .regex(/^\d{1,18}-\d{1,18}$/, 'must be the cursor of an earlier answer')
      .optional()
      .describe('Cursor of the answer before; without it anything there is news'),
  }),
  output: InboxView,
  action: 'task:read',
});
