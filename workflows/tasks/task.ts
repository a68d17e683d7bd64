import {
  allHandlersFinished,
  CancellationScope,
  condition,
  currentUpdateInfo,
  isCancellation,
  log,
  setHandler,
} from '@temporalio/workflow';

import { SYSTEM } from '../../contracts/actor.ts';
import { parsePayload } from '../../contracts/parse.ts';
import {
  admissionUpdate,
  agentAvailableSignal,
  cancelSignal,
  changeUpdate,
  pausedSignal,
  reassignSignal,
  TaskChange,
  taskQuery,
  TaskStart,
} from '../../contracts/task-workflow.ts';
import type { TaskState, TaskWorkflow } from '../../contracts/task-workflow.ts';
import { asError } from '../failures.ts';
import { Mailbox } from '../mailbox.ts';
import { TaskDesk } from './desk.ts';
import type { Message } from './desk.ts';

/** One piece of work that one agent hands to another: admitted, claimed, worked on, and ended once. */
export const task: TaskWorkflow = async (payload) => {
  const start = parsePayload(TaskStart, payload);
  const desk = new TaskDesk(start);
  const mailbox = new Mailbox<Message, TaskState>();

  setHandler(taskQuery, () => desk.stateNow());
  setHandler(admissionUpdate, async () => {
    await condition(() => desk.admission !== undefined);
    return desk.receipt();
  });
  setHandler(changeUpdate, (change) => (desk.knows(currentUpdateInfo()?.id) ? desk.stateNow() : mailbox.post(change)), {
    validator: (change: TaskChange) => {
      parsePayload(TaskChange, change);
      if (!desk.knows(currentUpdateInfo()?.id)) desk.check(change);
    },
  });
  setHandler(pausedSignal, (pause) => mailbox.drop({ type: 'paused', ...pause }, logRefusal));
  setHandler(agentAvailableSignal, () => mailbox.drop({ type: 'agent_available' }, logRefusal));
  setHandler(reassignSignal, (reassignment) => mailbox.drop({ type: 'reassign', reassignment }, logRefusal));
  setHandler(cancelSignal, () => mailbox.drop({ type: 'cancel', ...bySystem(start), content: null }, logRefusal));

  if (!(await desk.admit())) {
    await condition(allHandlersFinished);
    return null;
  }
  try {
    while (!desk.over) {
      if (desk.longEnough && mailbox.isEmpty()) {
        await desk.settled();
        await condition(() => !mailbox.isEmpty() || allHandlersFinished());
        if (mailbox.isEmpty()) return await desk.continueAsNew();
      }
      const deadline = desk.deadline();
      const letter = await mailbox.next(deadline ? deadline.at - Date.now() : null);
      desk.begin(letter?.id ?? `${deadline?.kind ?? 'time'}:${String(deadline?.at ?? 0)}`);
      if (!letter) await desk.elapse(deadline?.kind);
      else await desk.handle(letter.message).then(letter.answer, (error: unknown) => letter.refuse(asError(error)));
    }
  } catch (error) {
    if (!isCancellation(error)) throw error;
    // An operator cancelled the workflow: the task ends as if it had been cancelled here, on the record.
    desk.begin('cancellation');
    await CancellationScope.nonCancellable(() => desk.handle({ type: 'cancel', ...bySystem(start), content: null }));
    throw error;
  } finally {
    if (desk.over) mailbox.close(() => desk.overNow());
    await CancellationScope.nonCancellable(() => desk.settled());
  }
  await condition(allHandlersFinished);
  return desk.stateNow();
};

const bySystem = (start: TaskStart) => ({ actor: SYSTEM, trace_id: start.trace_id });
const logRefusal = (error: Error): void => log.warn('A signal was refused', { reason: error.message });
