import type { Action } from './actions.ts';

/** Actions that are a tool of an agent's profile. */
export const TOOL_OF: Partial<Readonly<Record<Action, string>>> = {
  'task:send': 'send_task',
  'task:claim': 'claim_task',
  'task:progress': 'report_progress',
  'task:complete': 'complete_task',
  'task:fail': 'fail_task',
  'task:decline': 'decline_task',
  'task:handoff': 'handoff_task',
  'task:cancel': 'cancel_task',
  'task:retry': 'retry_task',
  'approval:request': 'request_approval',
  'approval:decide': 'decide_approval',
  'approval:revise': 'revise_approval',
  'approval:redeem': 'redeem_approval',
  'session:create': 'open_session',
  'session:update': 'update_session',
  'session:participate': 'join_session',
  'session:handoff': 'handoff_session',
  'shard:read': 'read_context',
  'shard:write': 'write_context',
  'notification:send': 'notify',
};
