import type { CallToolResult, InputRequests } from '@modelcontextprotocol/server';

/** States of the protocol's task extension. */
type TaskStatus = 'working' | 'input_required' | 'completed' | 'failed' | 'cancelled';

/** What the extension says of a task at any time. */
export interface TaskFields {
  readonly taskId: string;
  readonly status: TaskStatus;
  readonly statusMessage?: string;
  readonly createdAt: string;
  readonly lastUpdatedAt: string;
  /** Milliseconds that it can be asked for; null without end. */
  readonly ttlMs: number | null;
  readonly pollIntervalMs?: number;
}

/** The answer of a call that goes on as a task, in place of its result. */
export interface CreatedTask extends TaskFields {
  readonly resultType: 'task';
  readonly [field: string]: unknown;
}

/** A task with what its state brings: questions, the result, or the error of the protocol that ended it. */
export interface TaskSnapshot extends TaskFields {
  readonly inputRequests?: InputRequests;
  readonly result?: CallToolResult;
  readonly error?: { readonly code: number; readonly message: string };
  readonly [field: string]: unknown;
}

/** The handle of a task: what it is now, without questions, result or error, which tasks/get tells. */
export function createdTask(task: TaskFields): CreatedTask {
  const { taskId, status, statusMessage, createdAt, lastUpdatedAt, ttlMs, pollIntervalMs } = task;
  return {
    resultType: 'task',
    taskId,
    status,
    ...(statusMessage === undefined ? {} : { statusMessage }),
    createdAt,
    lastUpdatedAt,
    ttlMs,
    ...(pollIntervalMs === undefined ? {} : { pollIntervalMs }),
  };
}
