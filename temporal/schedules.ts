import { ScheduleAlreadyRunning } from '@temporalio/client';
import type { Client } from '@temporalio/client';

import { RECONCILE_SCHEDULE, RECONCILE_WORKFLOW } from '../contracts/deliveries.ts';

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
