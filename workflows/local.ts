import { proxyActivities, proxyLocalActivities } from '@temporalio/workflow';

import type { ApprovalActivities } from '../contracts/approval-workflow.ts';
import type { GuardActivities } from '../contracts/content.ts';
import type { DeliveryActivities, ReconcileActivities } from '../contracts/deliveries.ts';
import type { RecipeActivities } from '../contracts/recipe-workflow.ts';
import type { DirectoryActivities, DirectorySweepActivities } from '../contracts/directory-workflow.ts';
import type { RecordActivities } from '../contracts/record.ts';
import type { SessionActivities } from '../contracts/session-workflow.ts';
import type { TaskActivities } from '../contracts/task-workflow.ts';

/**
 * Short idempotent steps. They are repeated until they succeed: while the database is away, the workflow waits for it,
 * and whoever waits for the answer is told to come back.
 */
export const local = proxyLocalActivities<
  RecordActivities & GuardActivities & TaskActivities & ApprovalActivities & SessionActivities & RecipeActivities
>({
  startToCloseTimeout: '10 seconds',
  retry: { initialInterval: '100 milliseconds', backoffCoefficient: 2, maximumInterval: '5 seconds' },
});

/** What talks to the world, on its own queue: tried for a day, with growing pauses. */
export const outbound = (taskQueue: string): DeliveryActivities =>
  proxyActivities<DeliveryActivities>({
    taskQueue,
    startToCloseTimeout: '30 seconds',
    scheduleToCloseTimeout: '1 day',
    retry: { initialInterval: '1 second', backoffCoefficient: 2, maximumInterval: '1 hour' },
  });

/** Upkeep of the database, on the orchestrator's own queue. */
export const upkeep = proxyActivities<ReconcileActivities>({
  startToCloseTimeout: '1 minute',
  retry: { maximumAttempts: 3 },
});

/** What moving open work asks of the database: repeated until it succeeds, and not tied to a workflow task's time. */
export const directory = proxyActivities<DirectoryActivities>({
  startToCloseTimeout: '30 seconds',
  retry: { initialInterval: '500 milliseconds', backoffCoefficient: 2, maximumInterval: '30 seconds' },
});

/** The sweep of the directory; the next one comes anyway. */
export const directorySweeping = proxyActivities<DirectorySweepActivities>({
  startToCloseTimeout: '30 seconds',
  retry: { maximumAttempts: 2 },
});
