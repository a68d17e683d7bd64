import { ScheduleAlreadyRunning } from '@temporalio/client';
import type { Client } from '@temporalio/client';

import { RECONCILE_SCHEDULE, RECONCILE_WORKFLOW } from '../contracts/deliveries.ts';
import { DIRECTORY_SWEEP_SCHEDULE, DIRECTORY_SWEEP_WORKFLOW } from '../contracts/directory-workflow.ts';

/** Makes the minute-by-minute upkeep unless it is there; any number of workers may call this. */
export async function ensureReconcileSchedule(client: Client, taskQueue: string): Promise<void> {
  try {
    await client.schedule.create({
      scheduleId: `${RECONCILE_SCHEDULE}-${taskQueue}`,
      spec: { intervals: [{ every: '1 minute' }] },
      policies: { overlap: 'SKIP', catchupWindow: '2 minutes' },
      action: {
        type: 'startWorkflow',
        workflowType: RECONCILE_WORKFLOW,
        taskQueue,
        workflowExecutionTimeout: '5 minutes',
      },
    });
  } catch (error) {
    if (!(error instanceof ScheduleAlreadyRunning)) throw error;
  }
}

const directoryScheduleId = (taskQueue: string): string => `${DIRECTORY_SWEEP_SCHEDULE}-${taskQueue}`;

/** Has the sweep of the directory run now; where one is under way, once more after it. */
export const sweepDirectoryNow = (client: Client, taskQueue: string): Promise<void> =>
  client.schedule.getHandle(directoryScheduleId(taskQueue)).trigger('BUFFER_ONE');

/** Makes the sweep of the directory unless it is there; any number of workers may call this. */
export async function ensureDirectorySchedule(client: Client, taskQueue: string): Promise<void> {
  try {
    await client.schedule.create({
      scheduleId: directoryScheduleId(taskQueue),
      spec: { intervals: [{ every: '30 seconds' }] },
      policies: { overlap: 'SKIP', catchupWindow: '1 minute' },
      action: {
        type: 'startWorkflow',
        workflowType: DIRECTORY_SWEEP_WORKFLOW,
        taskQueue,
        workflowExecutionTimeout: '5 minutes',
      },
    });
  } catch (error) {
    if (!(error instanceof ScheduleAlreadyRunning)) throw error;
  }
}
