/** One message to one channel, tried until the receiver takes it or a day has passed. */
export interface DeliveryStart {
  readonly organisation_id: string;
  readonly delivery_id: string;
}
export interface DeliveryResult {
  readonly delivered: boolean;
}

export interface DeliveryActivities {
  /** Sends the message once. Throws to be tried again; answers false where the channel is gone. */
  deliver: (delivery: DeliveryStart) => Promise<DeliveryResult>;
  /** Writes down that the last try failed. */
  giveUp: (delivery: DeliveryStart) => Promise<void>;
}

export interface ReconcileActivities {
  /** Deliveries that nobody tried for a minute: their workflow was never started. */
  unsentDeliveries(): Promise<readonly DeliveryStart[]>;
  /** Removes what is past its retention: idempotency answers, delivered messages. */
  sweep(): Promise<void>;
}

export type DeliveryWorkflow = (delivery: DeliveryStart) => Promise<DeliveryResult>;
export const DELIVERY_WORKFLOW = 'delivery';
export const deliveryWorkflowId = ({ organisation_id, delivery_id }: DeliveryStart): string =>
  `delivery:${organisation_id}:${delivery_id}`;

export type ReconcileWorkflow = () => Promise<{ readonly started: number }>;
export const RECONCILE_WORKFLOW = 'reconcile';
export const RECONCILE_SCHEDULE = 'switchboard-reconcile';
