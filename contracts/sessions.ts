import { z } from 'zod';

import { AgentId, SessionId, TaskId, UserId } from './ids.ts';
import { JsonMap, JsonObject, JsonValue } from './json.ts';
import { defineOperation } from './operation.ts';
import { NextCursor, pageFields, recordPageFields } from './paging.ts';
import { Role } from './principal.ts';
import { SessionEvent, SessionStatus } from './session-workflow.ts';
import { Duration, Timestamp } from './time.ts';

export * from './session-workflow.ts';

/** Who takes part: a role (anybody of it), an agent or a user. */
export const Participant = z.union([Role, AgentId, UserId]).describe('A role, an agent id or a user id');

export const SessionView = z.object({
  id: SessionId,
  session_id: SessionId.describe('The same as id'),
  title: z.string().nullable(),
  agent_role: Role.describe('Role of the agent that leads'),
  role: Role.describe('The same as agent_role'),
  lead: z.string().describe('Who leads: role, agent id or user id'),
  participants: z.array(z.string()),
  status: SessionStatus,
  state: SessionStatus.describe('The same as status'),
  task_id: TaskId.nullable(),
  metadata: JsonValue.nullable(),
  handoff: JsonValue.nullable().describe('Context of the last hand-off of the lead'),
  reason: z.string().nullable(),
  tasks: z.record(z.string(), z.number()).describe('Tasks of the session by status'),
  approvals: z.record(z.string(), z.number()).describe('Approvals of the session by status'),
  shards: z.array(z.string()).describe('Names of the shards that you may read'),
  created_at: Timestamp,
  updated_at: Timestamp,
  last_transition_at: Timestamp,
  paused_at: Timestamp.nullable(),
  completed_at: Timestamp.nullable(),
  failed_at: Timestamp.nullable(),
  expires_at: Timestamp,
  trace_id: z.string(),
  allowed: z.array(SessionEvent),
});
export type SessionView = z.infer<typeof SessionView>;
const sessionIn = { session_id: SessionId };
const CHANGE_ERRORS = ['not_found', 'forbidden', 'illegal_transition'] as const;

export const createSession = defineOperation({
  name: 'open_session',
  method: 'post',
  path: '/sessions',
  summary: 'Open a session: a shared piece of work of several agents.',
  input: z.strictObject({
    agent_role: Role.optional().describe('Role that leads; yours unless given'),
    task_id: TaskId.optional().describe('The task it is about'),
    title: z.string().min(1).max(200).optional(),
    metadata: JsonObject.optional().describe('Facts about the session'),
    participants: z.array(Participant).max(50).default([]).describe('Who takes part besides you'),
    expires_after: Duration.default('30d').describe('Expires when nothing happened for so long'),
  }),
  output: SessionView,
  action: 'session:create',
  status: 201,
  errors: ['forbidden', 'not_found', 'unknown_target'],
  tool: { title: 'Open a session' },
});

export const listSessions = defineOperation({
  name: 'list_sessions',
  method: 'get',
  path: '/sessions',
  summary: 'List the sessions that you take part in.',
  input: z.strictObject({
    page: z.coerce
      .number()
      .int()
      .min(1)
      .max(100)
      .default(1)
      .describe('Page number of older clients; cursor goes further'),
    page_size: z.coerce.number().int().min(1).max(100).default(20).describe('Items a page, 1 to 100'),
    cursor: pageFields.cursor,
    status: SessionStatus.optional(),
  }),
  output: z.object({
    sessions: z.array(SessionView),
    total: z.number().describe('How many there are, counted to 10,000 at most'),
    page: z.number(),
    page_size: z.number(),
    next_cursor: NextCursor,
  }),
  action: 'session:read',
});

export const getSession = defineOperation({
  name: 'get_session',
  method: 'get',
  path: '/sessions/{session_id}',
  summary: 'Read one session with the state of its tasks and approvals.',
  input: z.strictObject(sessionIn),
  output: SessionView,
  action: 'session:read',
  errors: ['not_found'],
});

export const updateSession = defineOperation({
  name: 'update_session',
  method: 'put',
  path: '/sessions/{session_id}/events',
  summary: 'Activate, pause, resume, complete, fail or cancel a session.',
  description: 'Pausing stops the dispatch and the clocks of its tasks; work in flight may finish.',
  input: z.strictObject({
    ...sessionIn,
    event: z
      .string()
      .max(20)
      .toLowerCase()
      .pipe(SessionEvent)
      .meta({ enum: SessionEvent.options })
      .describe('activate, pause, resume, complete, fail or cancel'),
    reason: z.string().max(2_000).optional().describe('Why'),
  }),
  output: SessionView,
  action: 'session:update',
  errors: CHANGE_ERRORS,
  tool: { title: 'Change the state of a session' },
});

export const joinSession = defineOperation({
  name: 'join_session',
  method: 'post',
  path: '/sessions/{session_id}/participants',
  summary: 'Join a session that your role takes part in, or add a participant to one that you lead.',
  input: z.strictObject({
    ...sessionIn,
    participant: Participant.optional().describe('Whom to add; yourself unless given'),
  }),
  output: SessionView,
  action: 'session:participate',
  errors: [...CHANGE_ERRORS, 'unknown_target'],
  tool: { title: 'Join a session' },
});

export const handoffSession = defineOperation({
  name: 'handoff_session',
  method: 'post',
  path: '/sessions/{session_id}/handoff',
  summary: 'Hand the lead of a session to another role, agent or user, with context.',
  input: z.strictObject({
    ...sessionIn,
    to: Participant,
    context: JsonObject.optional().describe('What the next lead must know'),
  }),
  output: SessionView,
  action: 'session:handoff',
  errors: [...CHANGE_ERRORS, 'unknown_target'],
  tool: { title: 'Hand a session off' },
});

const ShardName = z
  .string()
  .regex(/^[a-z0-9][a-z0-9_.-]{0,99}$/, 'must be lower-case letters, digits, dots, dashes and underscores')
  .describe('Name of a shard, e.g. findings');

export const ShardView = z.object({
  session_id: SessionId,
  name: ShardName,
  version: z.number().int().describe('Counts the writes; send it back as If-Match'),
  readers: z.array(z.string()),
  content: JsonValue,
  written_by: z.string(),
  updated_at: Timestamp,
});
export type ShardView = z.infer<typeof ShardView>;

export const readShard = defineOperation({
  name: 'read_context',
  method: 'get',
  path: '/sessions/{session_id}/shards/{name}',
  summary: 'Read a part of the shared context of a session.',
  input: z.strictObject({ ...sessionIn, name: ShardName }),
  output: ShardView,
  action: 'shard:read',
  errors: ['not_found'],
  tool: { title: 'Read shared context', readOnly: true },
});

export const writeShard = defineOperation({
  name: 'write_context',
  method: 'put',
  path: '/sessions/{session_id}/shards/{name}',
  summary: 'Write a part of the shared context of a session; readers outside the list never learn that it exists.',
  input: z.strictObject({
    ...sessionIn,
    name: ShardName,
    content: JsonValue,
    readers: z
      .array(Participant)
      .min(1)
      .max(50)
      .optional()
      .describe('Who may read it; all participants unless given, unchanged on a rewrite'),
    if_match: z
      .union([z.string().regex(/^(?:W\/)?"?\d{1,9}"?$/), z.number().int().min(0).max(999_999_999)], {
        error: 'must be the version you read, e.g. "4"',
      })
      .optional()
      .describe('The version you read; required to overwrite. Over HTTP: the If-Match header'),
  }),
  output: ShardView,
  action: 'shard:write',
  ifMatch: 'if_match',
  errors: [...CHANGE_ERRORS, 'precondition_failed'],
  tool: { title: 'Write shared context' },
});

export const TimelineEntry = z.object({
  id: z.string(),
  at: Timestamp,
  actor: z.string(),
  on_behalf_of: z.string().nullable(),
  action: z.string(),
  subject: z.string(),
  outcome: z.string(),
  details: JsonMap,
  trace_id: z.string(),
});
export type TimelineEntry = z.infer<typeof TimelineEntry>;

export const sessionTimeline = defineOperation({
  name: 'get_session_timeline',
  method: 'get',
  path: '/sessions/{session_id}/timeline',
  summary: 'Everything that happened in a session, in order, as far as you may see it.',
  input: z.strictObject({ ...sessionIn, limit: recordPageFields.limit, cursor: recordPageFields.cursor }),
  output: z.object({ entries: z.array(TimelineEntry), next_cursor: NextCursor }),
  action: 'session:read',
  errors: ['not_found'],
});

export const pauseDispatch = defineOperation({
  name: 'pause_dispatch',
  method: 'put',
  path: '/pauses/{scope}/{id}',
  summary: 'Pause or resume the dispatch of an agent, a role or the organisation.',
  input: z.strictObject({
    scope: z.enum(['agent', 'role', 'organisation']),
    id: z.string().min(1).max(60).describe("Agent id, role, or 'all' for the organisation"),
    paused: z.boolean(),
  }),
  output: z.object({ scope: z.string(), id: z.string(), paused: z.boolean(), tasks_reached: z.number() }),
  action: 'dispatch:pause',
  errors: ['forbidden', 'not_found'],
});
