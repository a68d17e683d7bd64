import { z } from 'zod';

import { MaskedSummary } from './content.ts';
import { ChannelId, NotificationId, SessionId, TaskId } from './ids.ts';
import { JsonObject, JsonValue } from './json.ts';
import { defineOperation } from './operation.ts';
import { NextCursor, pageFields } from './paging.ts';
import { NoticeLevel, Topic } from './record.ts';
import { Timestamp } from './time.ts';

/** Levels of older clients and what they mean here. */
const PRIORITY_LEVELS = { low: 'info', normal: 'info', high: 'warning' } as const;
const Priority = z.enum(['low', 'normal', 'high']).describe('low, normal or high; short for level');
/** The level that a notification is sent with. */
export const levelOf = (input: {
  level?: z.infer<typeof NoticeLevel> | undefined;
  priority?: z.infer<typeof Priority> | undefined;
}) => input.level ?? (input.priority ? PRIORITY_LEVELS[input.priority] : 'info');

export const NotificationView = z.object({
  id: NotificationId,
  from: z.string().describe('Agent or user id, or switchboard'),
  to: z.string().describe('Role, agent id, user id or session id'),
  level: NoticeLevel,
  priority: Priority,
  title: z.string().nullable(),
  message: z.string(),
  data: JsonValue.nullable(),
  subject_id: z.string().nullable().describe('The task, approval or session it is about'),
  ack_required: z.boolean(),
  acked_at: Timestamp.nullable(),
  acked_by: z.string().nullable(),
  dedupe_id: z.string().describe('The same for every delivery of this notification'),
  trace_id: z.string(),
  created_at: Timestamp,
});
export type NotificationView = z.infer<typeof NotificationView>;

export const NotificationReceipt = z.object({
  notification_id: NotificationId,
  task_id: NotificationId.describe('The same, under the name that older clients read'),
  status: z.enum(['sent']),
  target: z.string(),
  masked: MaskedSummary,
  trace_id: z.string(),
});

export const notify = defineOperation({
  name: 'notify',
  method: 'post',
  path: '/notifications',
  summary: 'Tell an agent, a role, a user or everybody in a session something.',
  input: z.strictObject({
    target: z.string().min(1).max(60).describe('Role, agent id, user id or session id'),
    message: z.string().min(1).max(10_000),
    priority: Priority.optional(),
    level: NoticeLevel.optional(),
    title: z.string().min(1).max(200).optional(),
    data: JsonObject.optional(),
    task_id: TaskId.optional().describe('The task it is about'),
    session_id: SessionId.optional().describe('The session it is about'),
    ack_required: z.boolean().default(false).describe('Keep it in the inbox until it is acknowledged'),
  }),
  output: NotificationReceipt,
  action: 'notification:send',
  status: 202,
  errors: ['forbidden', 'unknown_target', 'not_found'],
  tool: { title: 'Notify', wrapped: true },
});

export const listNotifications = defineOperation({
  name: 'list_notifications',
  method: 'get',
  path: '/notifications',
  summary: 'List the notifications for you.',
  input: z.strictObject({
    ...pageFields,
    unacked: z
      .stringbool({ truthy: ['true', '1'], falsy: ['false', '0'], case: 'sensitive' })
      .meta({ enum: ['true', '1', 'false', '0'] })
      .or(z.boolean())
      .default(false)
      .describe('Only those that wait for an acknowledgement'),
  }),
  output: z.object({ notifications: z.array(NotificationView), next_cursor: NextCursor }),
  action: 'notification:read',
});

export const ackNotification = defineOperation({
  name: 'ack_notification',
  method: 'post',
  path: '/notifications/{notification_id}/ack',
  summary: 'Acknowledge a notification.',
  input: z.strictObject({ notification_id: NotificationId }),
  output: NotificationView,
  action: 'notification:ack',
  errors: ['not_found'],
});

export const ChannelView = z.object({
  id: ChannelId,
  owner: z.string().describe('Tag whose events it carries: user:…, agent:… or role:…'),
  kind: z.enum(['webhook', 'slack']),
  url: z.string().describe('Where to; its query is left out'),
  topics: z.array(Topic),
  created_at: Timestamp,
  secret: z.string().optional().describe('whsec_… of Standard Webhooks; shown once, when the channel is made'),
});
export type ChannelView = z.infer<typeof ChannelView>;

export const createChannel = defineOperation({
  name: 'create_channel',
  method: 'post',
  path: '/channels',
  summary: 'Have your events pushed to a webhook (Standard Webhooks signature) or a Slack-compatible one.',
  input: z.strictObject({
    kind: z.enum(['webhook', 'slack']).default('webhook'),
    url: z
      .url({ protocol: /^https?$/ })
      .max(2_000)
      .describe('http(s) address of the receiver'),
    topics: z.array(Topic).min(1).default(['tasks', 'approvals', 'notifications']),
    owner: z
      .string()
      .regex(/^(user|agent|role):[\w-]{1,60}$/, 'must be user:<id>, agent:<id> or role:<role>')
      .optional()
      .describe('Whose events; yours unless given, others only for administrators'),
  }),
  output: ChannelView,
  action: 'channel:manage',
  status: 201,
  errors: ['forbidden'],
});

export const listChannels = defineOperation({
  name: 'list_channels',
  method: 'get',
  path: '/channels',
  summary: 'List your channels.',
  input: z.strictObject({}),
  output: z.object({ channels: z.array(ChannelView) }),
  action: 'channel:manage',
});

export const deleteChannel = defineOperation({
  name: 'delete_channel',
  method: 'delete',
  path: '/channels/{channel_id}',
  summary: 'Remove a channel.',
  input: z.strictObject({ channel_id: ChannelId }),
  output: ChannelView,
  action: 'channel:manage',
  errors: ['not_found'],
});
