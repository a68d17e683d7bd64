import type { z } from 'zod';

import type { NotificationReceipt } from '../../contracts/notifications.ts';
import { levelOf } from '../../contracts/notifications.ts';
import type { StatusView } from '../../contracts/status.ts';
import { approvalDetails, approvalLine } from './approvals.ts';
import { field, lines, list, masked, value } from './lines.ts';
import { sessionDetails } from './sessions.ts';
import { taskDetails } from './tasks.ts';

const NEWEST = 10;

/** What fetch_status answers: the thing itself, its approvals and the last events. */
export function status(view: StatusView): string {
  const events = view.timeline.slice(-NEWEST);
  return lines(
    `✅ Status of ${view.kind} ${view.id}: ${view.status}`,
    field('Current State', view.status),
    view.task && taskDetails(view.task),
    view.approval && approvalDetails(view.approval),
    view.session && sessionDetails(view.session),
    // The details show the result of a task; whatever else has one shows it here.
    view.task === null && value('Result', view.result),
    view.approval === null && view.approvals.length > 0 && list('Approvals:', view.approvals.map(approvalLine), ''),
    events.length > 0 &&
      list(
        `Last ${String(events.length)} of ${String(view.timeline.length)} events:`,
        events.map((event) => `${event.at} ${event.actor}: ${event.action} (${event.outcome})`),
        '',
      ),
    field('Trace ID', view.trace_id),
  );
}

/** What notify answers. */
export function notified(receipt: z.infer<typeof NotificationReceipt>, input: Record<string, unknown>): string {
  const { level, priority } = input as Parameters<typeof levelOf>[0];
  return lines(
    '✅ Notification sent.',
    field('Task ID', receipt.task_id),
    field('Status', receipt.status),
    field('Target', receipt.target),
    field('Priority', priority ?? 'normal'),
    field('Level', levelOf({ level, priority })),
    masked(receipt.masked),
    field('Trace ID', receipt.trace_id),
  );
}
