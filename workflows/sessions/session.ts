import {
  allHandlersFinished,
  CancellationScope,
  condition,
  currentUpdateInfo,
  isCancellation,
  log,
  setHandler,
  setWorkflowOptions,
  workflowInfo,
} from '@temporalio/workflow';

import { SYSTEM } from '../../contracts/actor.ts';
import { parsePayload } from '../../contracts/parse.ts';
import {
  sessionCancelSignal,
  SessionChange,
  sessionChangeUpdate,
  sessionOpenedUpdate,
  sessionQuery,
  SessionStart,
} from '../../contracts/session-workflow.ts';
import type { SessionState, SessionWorkflow } from '../../contracts/session-workflow.ts';
import { asError } from '../failures.ts';
import { Mailbox } from '../mailbox.ts';
import { SessionDesk } from './desk.ts';

/** A shared piece of work of several agents; lives for months by continuing as new. */
export const session: SessionWorkflow = async (payload) => {
  const start = parsePayload(SessionStart, payload);
  const desk = new SessionDesk(start);
  const mailbox = new Mailbox<SessionChange, SessionState>();

  setHandler(sessionQuery, () => desk.stateNow());
  setHandler(sessionOpenedUpdate, async () => {
    await condition(() => desk.opened !== undefined);
    return desk.openedState();
  });
  setHandler(
    sessionChangeUpdate,
    (change) => (desk.knows(currentUpdateInfo()?.id) ? desk.stateNow() : mailbox.post(change)),
    {
      validator: (change: SessionChange) => {
        parsePayload(SessionChange, change);
        if (!desk.knows(currentUpdateInfo()?.id)) desk.check(change);
      },
    },
  );
  setHandler(sessionCancelSignal, () => mailbox.drop(cancelledBySystem(start), logRefusal));

  if (!(await desk.open())) {
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
      const letter = await mailbox.next(desk.deadline - Date.now());
      desk.begin(letter?.id ?? `idle:${String(desk.deadline)}`);
      if (!letter) await desk.expireOrExtend();
      else await desk.change(letter.message).then(letter.answer, (error: unknown) => letter.refuse(asError(error)));
    }
  } catch (error) {
    if (!isCancellation(error)) throw error;
    // An operator cancelled the workflow: the session is cancelled, on the record.
    desk.begin('cancellation');
    await CancellationScope.nonCancellable(() => desk.change(cancelledBySystem(start)));
    throw error;
  } finally {
    if (desk.over) mailbox.close(() => desk.overNow());
    await CancellationScope.nonCancellable(() => desk.settled());
  }
  await condition(allHandlersFinished);
  return desk.stateNow();
};

// A session lives longer than a build of the workers, and moves to the current one; tasks and approvals end where they
// began. Changes of this workflow must therefore replay the histories of the builds before (docs/decisions/0010).
// A worker without versions may not name a behaviour.
setWorkflowOptions(
  () => (workflowInfo().currentDeploymentVersion?.deploymentName ? { versioningBehavior: 'AUTO_UPGRADE' } : {}),
  session,
);

const logRefusal = (error: Error): void => log.warn('A signal was refused', { reason: error.message });
const cancelledBySystem = (start: SessionStart): SessionChange => ({
  type: 'cancel',
  actor: SYSTEM,
  trace_id: start.trace_id,
  content: null,
});
