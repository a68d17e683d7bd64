import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import { ParentClosePolicy, startChild, workflowInfo } from '@temporalio/workflow';

import { DELIVERY_WORKFLOW, deliveryWorkflowId } from '../contracts/deliveries.ts';
import type { DeliveryWorkflow } from '../contracts/deliveries.ts';
import type { Transition } from '../contracts/record.ts';
import { local } from './local.ts';

/** What a workflow says of a transition; the recorder adds who writes, in which order and when. */
export type TransitionDraft = Omit<Transition, 'organisation_id' | 'workflow_id' | 'sequence' | 'change_id' | 'at'>;

/** Writes the transitions of one workflow in order and starts the deliveries they call for. */
export class Recorder {
  private started: Promise<unknown>[] = [];
  private readonly organisationId: string;
  private about = 'start';
  private step = 0;
  sequence: number;

  constructor(organisationId: string, sequence = 0) {
    this.organisationId = organisationId;
    this.sequence = sequence;
  }

  /** Says what the following transitions belong to: an update, a signal, a deadline. */
  begin(changeId: string): void {
    this.about = changeId;
    this.step = 0;
  }

  /** Returns once the transition is in the database; the same transition is never written twice. */
  async record(draft: TransitionDraft): Promise<void> {
    const { workflowId } = workflowInfo();
    const { deliveries } = await local.record({
      ...draft,
      organisation_id: this.organisationId,
      workflow_id: workflowId,
      sequence: this.sequence + 1,
      change_id: `${this.about}/${String(this.step)}`,
      at: new Date().toISOString(),
    });
    this.sequence += 1;
    this.step += 1;
    this.started.push(...deliveries.map((id) => startDelivery(this.organisationId, id)));
  }

  /** Waits until every delivery has its own workflow; they outlive this one. */
  async settled(): Promise<void> {
    const waiting = this.started;
    this.started = [];
    await Promise.all(waiting);
  }
}

async function startDelivery(organisationId: string, deliveryId: string): Promise<void> {
  const delivery = { organisation_id: organisationId, delivery_id: deliveryId };
  try {
    await startChild<DeliveryWorkflow>(DELIVERY_WORKFLOW, {
      workflowId: deliveryWorkflowId(delivery),
      args: [delivery],
      parentClosePolicy: ParentClosePolicy.ABANDON,
    });
  } catch (error) {
    // The reconciler was quicker; the delivery runs.
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
  }
}
