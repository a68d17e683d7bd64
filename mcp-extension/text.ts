import type { z } from 'zod';

import * as approvals from '../contracts/approvals.ts';
import { notify } from '../contracts/notifications.ts';
import type { Operation } from '../contracts/operation.ts';
import * as sessions from '../contracts/sessions.ts';
import { fetchStatus } from '../contracts/status.ts';
import * as tasks from '../contracts/tasks.ts';
import { approvalList, changedApproval, redeemedApproval, requestedApproval } from './text/approvals.ts';
import { value } from './text/lines.ts';
import { changedSession, shard, writtenShard } from './text/sessions.ts';
import { notified, status } from './text/status.ts';
import { claimedTask, sentTask, taskList, taskState } from './text/tasks.ts';

type Fields = Record<string, unknown>;
type Writer = (output: unknown, input: Fields) => string;

/** Ties an operation to what its output reads like. */
function reads<I extends z.ZodObject, O extends z.ZodType>(
  operation: Operation<I, O>,
  write: (output: z.output<O>, input: Fields) => string,
): [string, Writer] {
  return [operation.name, (output, input) => write(output as z.output<O>, input)];
}

const WRITERS = new Map<string, Writer>([
  reads(tasks.routeTask, sentTask),
  reads(tasks.listTasks, taskList),
  reads(tasks.claimTask, claimedTask),
  reads(tasks.reportProgress, taskState),
  reads(tasks.completeTask, taskState),
  reads(tasks.failTask, taskState),
  reads(tasks.declineTask, taskState),
  reads(tasks.handoffTask, taskState),
  reads(tasks.cancelTask, taskState),
  reads(tasks.retryTask, taskState),
  reads(approvals.requestApproval, requestedApproval),
  reads(approvals.listApprovals, approvalList),
  reads(approvals.respondToApproval, changedApproval),
  reads(approvals.reviseApproval, changedApproval),
  reads(approvals.redeemApproval, redeemedApproval),
  reads(sessions.createSession, changedSession),
  reads(sessions.updateSession, changedSession),
  reads(sessions.joinSession, changedSession),
  reads(sessions.handoffSession, changedSession),
  reads(sessions.readShard, shard),
  reads(sessions.writeShard, writtenShard),
  reads(fetchStatus, status),
  reads(notify, notified),
]);

/** The readable text of a tool's result, beside the structured one; models of many clients see only this. */
export function resultText(operation: Operation, output: unknown, input: Fields): string {
  const write = WRITERS.get(operation.name);
  return write ? write(output, input) : (value(operation.name, output) ?? '✅ Done.');
}
