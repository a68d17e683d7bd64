import { workflowInfo } from '@temporalio/workflow';
import type { WorkflowInterceptorsFactory } from '@temporalio/workflow';

let historyLength = -1;
let startedAt = 0;

/**
 * When the attempt at the current workflow task began, in milliseconds of the server's clock. An attempt that is given up,
 * because its worker died or was too slow, began earlier than the one that replaces it.
 */
export const attemptStartedAt = (): number => startedAt;

/** Keeps the time of each workflow task's first activation; what follows in it, such as local activities, is later. */
export const interceptors: WorkflowInterceptorsFactory = () => ({
  internals: [
    {
      activate(input, next) {
        const { historyLength: length } = workflowInfo();
        if (length !== historyLength) startedAt = Date.now();
        historyLength = length;
        next(input);
      },
    },
  ],
});
