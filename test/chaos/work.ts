import { setTimeout as sleep } from 'node:timers/promises';

import { PatientCaller } from './caller.ts';
import type { Settled, Troubles } from './caller.ts';
import type { Random } from './random.ts';
import type { Stage } from './stage.ts';

/** One piece of work through its whole life, and what its clients were told. */
export interface Flow {
  readonly n: number;
  readonly amount: number;
  readonly rejects: boolean;
  taskId: string;
  approvalId: string;
  notificationId: string;
  /** Status that the claim was answered with, and so on. */
  readonly told: Record<string, string>;
}

/** Everybody who takes part. */
export interface Crew {
  readonly sender: PatientCaller;
  readonly worker: PatientCaller;
  readonly approver: PatientCaller;
  readonly approverId: string;
  readonly recipientId: string;
}

export const SENDER = 'finance-agent';
export const WORKER = 'manager-agent';
export const APPROVER = 'Ines Calder';
export const RECIPIENT = 'Owen Tashiro';

export function crewOf(stage: Stage, troubles: Troubles): Crew {
  const as = (name: string): PatientCaller => new PatientCaller(stage.apiUrl, stage.key(name), troubles);
  return {
    sender: as(SENDER),
    worker: as(WORKER),
    approver: as(APPROVER),
    approverId: stage.id(APPROVER),
    recipientId: stage.id(RECIPIENT),
  };
}

const actionOf = ({ n, amount }: Flow) => ({ tool: 'pay', arguments: { n, amount }, target: 'bank' });

const expect = (answer: Settled, status: number, step: string): Settled => {
  if (answer.status === status) return answer;
  throw new Error(`${step} was answered ${String(answer.status)}: ${JSON.stringify(answer.body)}`);
};

/** Sent, claimed, and an approval asked for: from here on it is in flight. */
export async function begin({ sender, worker, approverId }: Crew, n: number): Promise<Flow> {
  const flow: Flow = {
    n,
    amount: 100 + n,
    rejects: n % 5 === 0,
    taskId: '',
    approvalId: '',
    notificationId: '',
    told: {},
  };
  const sent = await sender.post(
    '/tasks/route',
    {
      target: 'manager',
      type: 'payment',
      description: `Pay invoice ${String(n)} of someone${String(n)}@example.com`,
      payload: { n },
      lease: '2h',
    },
    `send-${String(n)}`,
  );
  flow.taskId = expect(sent, 202, `sending ${String(n)}`).body.task_id;
  expect(await worker.post(`/tasks/${flow.taskId}/claim`, {}, `claim-${String(n)}`), 200, `claiming ${String(n)}`);
  const asked = await worker.post(
    '/approvals',
    {
      task_id: flow.taskId,
      subject: `Payment ${String(n)}`,
      approvers: { users: [approverId] },
      due_in: '2h',
      action: actionOf(flow),
    },
    `ask-${String(n)}`,
  );
  flow.approvalId = expect(asked, 202, `asking for ${String(n)}`).body.approval_id;
  return flow;
}

/** Decided, redeemed where approved, ended, and somebody told; with pauses in between, as people make them. */
export async function finish(crew: Crew, flow: Flow, random: Random, thinkMs: number): Promise<void> {
  const think = (): Promise<void> => sleep(random.below(thinkMs));
  await think();
  await decide(crew, flow);
  await think();
  if (flow.rejects) await redeemInVain(crew, flow);
  else await redeem(crew, flow);
  await think();
  await end(crew, flow);
  await tell(crew, flow);
}

async function decide({ approver }: Crew, flow: Flow): Promise<void> {
  const body = { decision: flow.rejects ? 'reject' : 'approve', comment: `Decision ${String(flow.n)}` };
  const answer = await approver.post(`/approvals/${flow.approvalId}/respond`, body, `decide-${String(flow.n)}`);
  flow.told['decision'] = expect(answer, 200, `deciding ${String(flow.n)}`).body.status;
}

/** Another action is tried first: what was approved is what may run. */
async function redeem({ worker }: Crew, flow: Flow): Promise<void> {
  const path = `/approvals/${flow.approvalId}/redeem`;
  const other = { ...actionOf(flow), arguments: { n: flow.n, amount: flow.amount * 1_000 } };
  const refused = await worker.post(path, { action: other }, `steal-${String(flow.n)}`);
  flow.told['other action'] = String(refused.status);
  expect(
    await worker.post(path, { action: actionOf(flow) }, `redeem-${String(flow.n)}`),
    200,
    `redeeming ${String(flow.n)}`,
  );
}

async function redeemInVain({ worker }: Crew, flow: Flow): Promise<void> {
  const answer = await worker.post(
    `/approvals/${flow.approvalId}/redeem`,
    { action: actionOf(flow) },
    `redeem-${String(flow.n)}`,
  );
  flow.told['rejected action'] = String(answer.status);
}

async function end({ worker }: Crew, flow: Flow): Promise<void> {
  const [verb, body] = flow.rejects
    ? (['fail', { reason: 'It was rejected.' }] as const)
    : (['complete', { result: { paid: flow.amount } }] as const);
  const answer = await worker.post(`/tasks/${flow.taskId}/${verb}`, body, `end-${String(flow.n)}`);
  flow.told['end'] = expect(answer, 200, `ending ${String(flow.n)}`).body.status;
}

async function tell({ sender, recipientId }: Crew, flow: Flow): Promise<void> {
  const body = { target: recipientId, message: `Payment ${String(flow.n)} is through.`, task_id: flow.taskId };
  const answer = await sender.post('/notifications', body, `tell-${String(flow.n)}`);
  flow.notificationId = expect(answer, 202, `telling of ${String(flow.n)}`).body.notification_id;
}
