import {
  allHandlersFinished,
  CancellationScope,
  condition,
  isCancellation,
  log,
  setHandler,
  uuid4,
} from '@temporalio/workflow';

import { SYSTEM } from '../../contracts/actor.ts';
import {
  ApprovalStart,
  approvalQuery,
  Decision,
  decideSignal,
  decideUpdate,
  openedUpdate,
  OperatorDecision,
  Redemption,
  redeemUpdate,
  replaceApproverSignal,
  reviseUpdate,
  Revision,
  verdictOf,
  Withdrawal,
  withdrawSignal,
  withdrawUpdate,
} from '../../contracts/approval-workflow.ts';
import type { ApprovalState, ApprovalWorkflow } from '../../contracts/approval-workflow.ts';
import { parsePayload } from '../../contracts/parse.ts';
import { asError } from '../failures.ts';
import { Mailbox } from '../mailbox.ts';
import { ApprovalDesk } from './desk.ts';
import type { Message } from './desk.ts';

/** One question to people: asked, answered by enough of them or by nobody, and used once for what was approved. */
export const approval: ApprovalWorkflow = async (payload) => {
  const start = parsePayload(ApprovalStart, payload);
  const desk = new ApprovalDesk(start);
  const mailbox = new Mailbox<Message, ApprovalState>();

  setHandler(approvalQuery, () => desk.stateNow());
  setHandler(openedUpdate, async () => {
    await condition(() => desk.opened !== undefined);
    return desk.openedState();
  });
  setHandler(decideUpdate, (decision) => mailbox.post({ type: 'decide', decision }), {
    validator: (decision) => desk.checkDecision(parsePayload(Decision, decision)),
  });
  setHandler(reviseUpdate, (revision) => mailbox.post({ type: 'revise', revision }), {
    validator: (revision) => desk.checkRequester(parsePayload(Revision, revision)),
  });
  setHandler(withdrawUpdate, (withdrawal) => mailbox.post({ type: 'withdraw', withdrawal }), {
    validator: (withdrawal) => desk.checkRequester(parsePayload(Withdrawal, withdrawal)),
  });
  setHandler(redeemUpdate, (redemption) => mailbox.post({ type: 'redeem', redemption }), {
    validator: (redemption) => desk.checkRedemption(parsePayload(Redemption, redemption)),
  });
  setHandler(decideSignal, (signal) => {
    const message = operatorDecision(start, signal);
    if (message) mailbox.drop(message, logRefusal);
  });
  setHandler(withdrawSignal, () => mailbox.drop(withdrawnBySystem(start), logRefusal));

  setHandler(replaceApproverSignal, (replacement) => mailbox.drop({ type: 'replace', replacement }, logRefusal));

  if (!(await desk.open())) {
    await condition(allHandlersFinished);
    return null;
  }
  try {
    while (!desk.closed) {
      const deadline = desk.deadline();
      const letter = await mailbox.next(deadline ? deadline.at - Date.now() : null);
      desk.begin(letter?.id ?? `${deadline?.kind ?? 'time'}:${String(deadline?.at ?? 0)}`);
      if (!letter) await desk.elapse(deadline?.kind);
      else await desk.handle(letter.message).then(letter.answer, (error: unknown) => letter.refuse(asError(error)));
    }
  } catch (error) {
    if (!isCancellation(error)) throw error;
    // An operator cancelled the workflow: the request is withdrawn, on the record.
    desk.begin('cancellation');
    await CancellationScope.nonCancellable(() => desk.handle(withdrawnBySystem(start)));
    throw error;
  } finally {
    mailbox.close(() => desk.closedNow());
    await CancellationScope.nonCancellable(() => desk.settled());
  }
  await condition(allHandlersFinished);
  return desk.stateNow();
};

const logRefusal = (error: Error): void => log.warn('A signal was refused', { reason: error.message });

const withdrawnBySystem = (start: ApprovalStart): Message => ({
  type: 'withdraw',
  withdrawal: { actor: SYSTEM, trace_id: start.trace_id, because: null },
});

/** An operator's signal as a decision; one that cannot be read is logged and decides nothing (APPR-5). */
function operatorDecision(start: ApprovalStart, signal: unknown): Message | undefined {
  const parsed = OperatorDecision.safeParse(signal);
  if (!parsed.success) {
    log.warn('A decision signal could not be read', { issues: parsed.error.issues.map((issue) => issue.message) });
    return undefined;
  }
  const { user_id, decision } = parsed.data;
  const actor = { kind: 'user', id: user_id, role: null, acts_for: null, administrator: false } as const;
  return {
    type: 'decide',
    decision: {
      decision_id: uuid4(),
      actor,
      trace_id: start.trace_id,
      verdict: verdictOf(decision),
      content: null,
      edits: false,
    },
  };
}
