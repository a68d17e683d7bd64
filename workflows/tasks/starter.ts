import { getExternalWorkflowHandle } from '@temporalio/workflow';

import { taskOutcomeSignal } from '../../contracts/recipe-workflow.ts';
import type { TaskOutcome } from '../../contracts/recipe-workflow.ts';
import type { TaskStart, TaskStatus } from '../../contracts/task-workflow.ts';

const UNDER_WAY: ReadonlySet<TaskStatus> = new Set<TaskStatus>(['pending', 'active']);

/** Whether a task still goes on by itself, so that whoever started it has nothing to hear. */
export const isUnderWay = (status: TaskStatus): boolean => UNDER_WAY.has(status);

/** The workflow that sent a task and waits for it hears where it stands; most tasks have none. */
export async function tellStarter({ tell, task_id }: TaskStart, status: TaskOutcome['status']): Promise<void> {
  if (tell === undefined) return;
  // It may have ended meanwhile: then nobody waits any more.
  await getExternalWorkflowHandle(tell)
    .signal(taskOutcomeSignal, { task_id, status })
    .catch(() => undefined);
}
