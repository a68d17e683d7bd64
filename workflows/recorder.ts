import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import { ParentClosePolicy, startChild, workflowInfo } from '@temporalio/workflow';

import { DELIVERY_WORKFLOW, deliveryWorkflowId } from '../contracts/deliveries.ts';
import type { DeliveryWorkflow } from '../contracts/deliveries.ts';
import { SUPERSEDED_WRITER } from '../contracts/record.ts';
import type { Recorded, Transition } from '../contracts/record.ts';
import { attemptStartedAt } from './attempt.ts';
import { refusalIn } from './failures.ts';
import { local } from './local.ts';

type Placed = 'organisation_id' | 'workflow_id' | 'sequence' | 'change_id' | 'at' | 'attempt_at';

/** What a workflow says of a transition; the recorder adds who writes, in which order and when. */
export type TransitionDraft = Omit<Transition, Placed>;

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
    const { deliveries } = await written({
      ...draft,
      organisation_id: this.organisationId,
      workflow_id: workflowId,
      sequence: this.sequence + 1,
      change_id: `${this.about}/${String(this.step)}`,
      at: new Date().toISOString(),
      attempt_at: attemptStartedAt(),
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

/**
 * An attempt that was replaced fails its workflow task, which the server has given to another already. Where clocks of the
 * server's machines differ and it was not replaced, it is simply begun again.
 */
async function written(transition: Transition): Promise<Recorded> {
  try {
    return await local.record(transition);
  } catch (error) {
    const failure = refusalIn(error);
    // A raw error fails the task of the workflow; any other would fail the update or the workflow.
    // eslint-disable-next-line temporal/workflow-no-throw-raw-error, preserve-caught-error -- the cause would count as a refusal
    if (failure?.type === SUPERSEDED_WRITER) throw new Error(failure.message);
    throw error;
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
