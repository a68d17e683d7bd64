import { ActivityFailure, workflowInfo } from '@temporalio/workflow';

import type { DeliveryWorkflow } from '../../contracts/deliveries.ts';
import { deliveryQueue } from '../../contracts/queues.ts';
import { outbound } from '../local.ts';

/** One message to one channel: tried with growing pauses until it is taken or a day has passed. */
export const delivery: DeliveryWorkflow = async (message) => {
  const { deliver, giveUp } = outbound(deliveryQueue(workflowInfo().taskQueue));
  try {
    return await deliver(message);
  } catch (error) {
    if (!(error instanceof ActivityFailure)) throw error;
    await giveUp(message);
    return { delivered: false };
  }
};
