import { WorkflowExecutionAlreadyStartedError } from '@temporalio/client';

import { DELIVERY_WORKFLOW, deliveryWorkflowId } from '../../contracts/deliveries.ts';
import type { DeliveryWorkflow } from '../../contracts/deliveries.ts';
import type { ApiDeps } from '../deps.ts';

/** Starts the deliveries of an event; one that cannot be started now is found by the reconciler within a minute. */
export async function startDeliveries(
  { client, taskQueue, log }: ApiDeps,
  organisation_id: string,
  ids: readonly string[],
): Promise<void> {
  for (const delivery_id of ids) {
    const delivery = { organisation_id, delivery_id };
    try {
      await client.workflow.start<DeliveryWorkflow>(DELIVERY_WORKFLOW, {
        workflowId: deliveryWorkflowId(delivery),
        taskQueue,
        args: [delivery],
      });
    } catch (error) {
      if (error instanceof WorkflowExecutionAlreadyStartedError) continue;
      log.warn({ delivery_id, error: String(error) }, 'a delivery could not be started; the reconciler will');
      return;
    }
  }
}
