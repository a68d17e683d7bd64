import type { z } from 'zod';

import type { TaskReceipt, TaskView } from '../../contracts/tasks.ts';
import { taskDetails } from '../text/tasks.ts';
import type { TaskSnapshot } from './task.ts';

const POLL_MS = 2_000;

/** A task of Switchboard as a task of the protocol. Failed work is a result that says so; `failed` is the protocol's own. */
export function taskSnapshot(task: TaskView): TaskSnapshot {
  const base = {
    taskId: task.id,
    statusMessage: messageOf(task),
    createdAt: task.created_at,
    lastUpdatedAt: task.updated_at,
    ttlMs: null,
    pollIntervalMs: POLL_MS,
  };
  switch (task.status) {
    case 'completed':
      return { ...base, status: 'completed', result: resultOf(task, false) };
    case 'failed':
    case 'declined':
      return { ...base, status: 'completed', result: resultOf(task, true) };
    case 'cancelled':
      return { ...base, status: 'cancelled' };
    default:
      return { ...base, status: 'working' };
  }
}

function messageOf({ status, paused, assignee, progress, reason }: TaskView): string {
  const because = reason === null ? '' : `: ${reason.slice(0, 300)}`;
  if (paused) return `${status} and paused${because}`;
  if (status === 'pending') return assignee === null ? 'waits for somebody of the role' : `waits for ${assignee}`;
  if (status !== 'active') return `${status}${because}`;
  return `${assignee ?? 'somebody'} works on it${progress === null ? '' : `, ${String(progress)} % done`}`;
}

/** What send_task answers, as it ended, with the result beside it. */
function resultOf(task: TaskView, isError: boolean): NonNullable<TaskSnapshot['result']> {
  const receipt: z.infer<typeof TaskReceipt> & { result: unknown } = {
    task_id: task.id,
    status: task.status,
    target: task.target,
    assignee: task.assignee,
    assigned_because: 'as fetch_status tells',
    session_id: task.session_id,
    masked: task.masked,
    trace_id: task.trace_id,
    result: task.result,
  };
  const heading = isError ? `❌ The task was ${task.status}.` : '✅ The task is completed.';
  const content = [{ type: 'text' as const, text: `${heading}\n${taskDetails(task)}` }];
  return { content, structuredContent: receipt, ...(isError ? { isError } : {}) };
}
