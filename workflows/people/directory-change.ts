import {
  allHandlersFinished,
  condition,
  continueAsNew,
  getExternalWorkflowHandle,
  setHandler,
  sleep,
  workflowInfo,
} from '@temporalio/workflow';

import { approvalWorkflowId, replaceApproverSignal } from '../../contracts/approval-workflow.ts';
import { movesWaitingSignal } from '../../contracts/directory-workflow.ts';
import type { DirectoryChangeWorkflow, Move, OpenWork } from '../../contracts/directory-workflow.ts';
import { reassignSignal, taskWorkflowId } from '../../contracts/task-workflow.ts';
import { directory } from '../local.ts';

/** People dealt with at once, and signals under way at once: others need room too. */
const PEOPLE = 50;
const AT_ONCE = 50;
const BREATH = '200 milliseconds';

/** Moves the open work of those who left, changed roles or fell silent, until nobody's is left; one run an organisation. */
export const directoryChange: DirectoryChangeWorkflow = async ({ organisation_id, moved: before = 0 }) => {
  let told = false;
  setHandler(movesWaitingSignal, () => {
    told = true;
  });
  let moved = before;
  do {
    told = false;
    const moves = await directory.pendingMoves({ organisation_id, limit: PEOPLE });
    for (const move of moves) await moveAll(organisation_id, move);
    if (moves.length > 0) await directory.finishMoves({ organisation_id, ids: moves.map(({ id }) => id) });
    moved += moves.length;
    if (moves.length > 0) told = true;
    if (workflowInfo().continueAsNewSuggested) await continueAsNew<DirectoryChangeWorkflow>({ organisation_id, moved });
    // The signal may come while the look was under way.
  } while (isTold());
  await condition(allHandlersFinished);
  return { moved };

  function isTold(): boolean {
    return told;
  }
};

async function moveAll(organisation_id: string, move: Move): Promise<void> {
  let after: { task: string | null; approval: string | null } = { task: null, approval: null };
  for (;;) {
    const page = await directory.openWorkOf({ organisation_id, move, after, limit: AT_ONCE });
    if (page.tasks.length + page.approvals.length === 0) return;
    await reachAll(organisation_id, move, page);
    after = { task: page.tasks.at(-1) ?? after.task, approval: page.approvals.at(-1) ?? after.approval };
    if (page.tasks.length < AT_ONCE && page.approvals.length < AT_ONCE) return;
    await sleep(BREATH);
  }
}

/** Those that ended meanwhile cannot be reached and need not be. */
async function reachAll(organisation: string, move: Move, { tasks, approvals }: OpenWork): Promise<void> {
  const from = [move.subject_id, ...move.agents];
  const { reason, successors, role } = move;
  await Promise.allSettled([
    ...tasks.map((id) =>
      getExternalWorkflowHandle(taskWorkflowId(organisation, id)).signal(reassignSignal, {
        from,
        because: reason,
        to: successors[0] ?? null,
        keeps_role: reason === 'role_changed' ? role : null,
      }),
    ),
    ...approvals.map((id) =>
      getExternalWorkflowHandle(approvalWorkflowId(organisation, id)).signal(replaceApproverSignal, {
        user: move.subject_id,
        because: reason,
        successors: [...successors],
      }),
    ),
  ]);
}
