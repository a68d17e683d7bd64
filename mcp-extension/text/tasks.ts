import type { z } from 'zod';

import type { TaskList, TaskReceipt, TaskState, TaskView } from '../../contracts/tasks.ts';
import { field, lines, list, masked, value } from './lines.ts';

const percent = (progress: number | null): string | undefined =>
  progress === null ? undefined : `${String(progress)} %`;
const hint = (id: string): string => `Use fetch_status with task_id "${id}" to follow it.`;
const short = (text: string): string => (text.length > 80 ? `${text.slice(0, 79)}…` : text);

/** The receipt of send_task. */
export const sentTask = (receipt: TaskReceipt): string =>
  lines(
    '✅ Task sent.',
    field('Task ID', receipt.task_id),
    field('Status', receipt.status),
    field('Target', receipt.target),
    field('Assignee', `${receipt.assignee ?? 'nobody yet'} (${receipt.assigned_because})`),
    field('Session ID', receipt.session_id),
    masked(receipt.masked),
    field('Trace ID', receipt.trace_id),
    hint(receipt.task_id),
  );

/** One line of a list of tasks. */
const taskLine = (task: TaskView): string =>
  `${task.id} [${task.status}${task.paused ? ', paused' : ''}] ${task.task_type}: ${short(task.title)} ` +
  `(from ${task.source} to ${task.target}, priority ${String(task.priority)}${task.complete_by ? `, due ${task.complete_by}` : ''})`;

/** A page of tasks. */
export const taskList = ({ tasks, next_cursor }: z.infer<typeof TaskList>): string =>
  lines(
    list(`${String(tasks.length)} tasks:`, tasks.map(taskLine), 'No tasks.'),
    next_cursor !== null && `There are more: call again with cursor "${next_cursor}".`,
  );

/** A task with everything its worker needs to know. */
export const taskDetails = (task: TaskView): string =>
  lines(
    field('Task ID', task.id),
    field('Type', task.task_type),
    field('Title', task.title),
    field('Status', `${task.status}${task.paused ? ' (paused)' : ''}`),
    field('From', task.source),
    field('Target', task.target),
    field('Assignee', task.assignee ?? 'nobody yet'),
    field('Session ID', task.session_id),
    field('Parent task', task.parent_task_id),
    field('Progress', percent(task.progress)),
    field('Lease until', task.lease_until),
    field('Due', task.complete_by),
    field('Reason', task.reason),
    field('Description', task.description),
    value('Data', task.data),
    value('Context', task.context),
    value('Result', task.result),
    value('Result must fit', task.output_schema, 4000),
    field('Possible now', task.allowed.join(', ')),
    field('Trace ID', task.trace_id),
  );

/** What claim_task answers. */
export const claimedTask = (task: TaskView): string =>
  lines(
    `✅ Task claimed${task.lease_until ? `; call report_progress before ${task.lease_until} to keep it` : ''}.`,
    taskDetails(task),
  );

/** What the verbs that change a task answer. */
export const taskState = (state: TaskState): string =>
  lines(
    `✅ Done: the task is ${state.status}.`,
    field('Task ID', state.task_id),
    field('Status', `${state.status}${state.paused ? ' (paused)' : ''}`),
    field('Assignee', state.assignee ?? 'nobody yet'),
    field('Lease until', state.lease_until),
    field('Possible now', state.allowed.join(', ')),
    field('Trace ID', state.trace_id),
  );
