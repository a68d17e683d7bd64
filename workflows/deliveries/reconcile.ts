import { ParentClosePolicy, startChild } from '@temporalio/workflow';
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';

import { DELIVERY_WORKFLOW, deliveryWorkflowId } from '../../contracts/deliveries.ts';
import type { DeliveryStart, DeliveryWorkflow, ReconcileWorkflow } from '../../contracts/deliveries.ts';
import { upkeep } from '../local.ts';

/** Runs every minute: starts deliveries that were recorded by a process that died before it could start them. */
export const reconcile: ReconcileWorkflow = async () => {
  const unsent = await upkeep.unsentDeliveries();
  const started = await Promise.all(unsent.map(start));
  await upkeep.sweep();
  return { started: started.filter(Boolean).length };
};

async function start(delivery: DeliveryStart): Promise<boolean> {
  try {
    await startChild<DeliveryWorkflow>(DELIVERY_WORKFLOW, {
      workflowId: deliveryWorkflowId(delivery),
      args: [delivery],
      parentClosePolicy: ParentClosePolicy.ABANDON,
    });
    return true;
  } catch (error) {
    if (error instanceof WorkflowExecutionAlreadyStartedError) return false;
    throw error;
  }
}
