import { listApprovals, redeemApproval, requestApproval, respondToApproval } from '../../../contracts/approvals.ts';
import type { ApprovalView } from '../../../contracts/approvals.ts';
import { ackNotification, listNotifications, notify } from '../../../contracts/notifications.ts';
import { fetchStatus, InboxView } from '../../../contracts/status.ts';
import { claimTask, completeTask, listTasks, reportProgress, routeTask } from '../../../contracts/tasks.ts';
import type { TaskView } from '../../../contracts/tasks.ts';
import type { Agent } from '../agent.ts';
import { DANA } from '../personal-data.ts';
import type { Stage } from '../stage.ts';
import { provenDecision } from './record.ts';

const CLAIMED = 14_850;
const ALLOWED = 12_600;

/** Finance sends a claim, a manager's agent has a person approve it with a smaller amount, and that is what is paid. */
export async function expense(stage: Stage): Promise<{ task_id: string; approval_id: string }> {
  const finance = await stage.agent('finance-agent');
  const manager = await stage.agent('manager-agent');
  const task_id = await sendClaim(stage, finance, manager);
  const task = await claim(stage, manager, task_id);
  const approval = await ask(stage, manager, task);
  await decide(stage, manager, approval);
  await redeem(stage, manager, approval);
  await complete(stage, manager, task_id);
  await readResult(stage, finance, task_id);
  stage.checkClearances(['email', 'card', 'iban', 'ssn']);
  await provenDecision(stage, approval.id);
  return { task_id, approval_id: approval.id };
}

async function sendClaim(stage: Stage, finance: Agent, manager: Agent): Promise<string> {
  const receipt = await stage.step(finance, `sends an expense claim of $${String(CLAIMED)} to role manager`, () =>
    finance.call(routeTask, {
      target: 'manager',
      type: 'expense_approval',
      title: 'Expense claim: trade fair in Hamburg',
      description: `Claim of ${DANA.name} <${DANA.email}>, paid with card ${DANA.card}; SSN ${DANA.ssn}.`,
      payload: { amount: CLAIMED, currency: 'USD', pay_to: DANA.iban, receipts: 7 },
      priority: 2,
      output_schema: {
        type: 'object',
        required: ['approved_amount'],
        properties: { approved_amount: { type: 'number' } },
      },
    }),
  );
  const masked = receipt.masked
    .map(({ type, visible_to_receiver: seen }) => (seen ? `${type} (visible)` : type))
    .sort();
  stage.same('TASK-1', 'the receipt tells what was masked', masked, ['card', 'email (visible)', 'iban', 'ssn']);
  stage.same('TASK-2', 'assigned to the agent that is online', receipt.assignee, manager.id);
  await stage.agree('TASK-1', receipt.task_id, 'pending', finance);
  return receipt.task_id;
}

async function claim(stage: Stage, manager: Agent, task_id: string): Promise<TaskView> {
  const { tasks } = await manager.call(listTasks, { assignee: 'me', status: 'pending' });
  stage.check(
    'TASK-3',
    'the task is in the list of the agent',
    tasks.some(({ id }) => id === task_id),
  );
  const task = await stage.step(manager, 'claims it', () => manager.call(claimTask, { task_id, lease: '10m' }));
  const words = `${task.description ?? ''} ${JSON.stringify(task.data)}`;
  const pseudonyms = ['Card', 'Ssn', 'Iban'].filter((type) => new RegExp(`${type}-[0-9A-Z]{10}`, 'i').test(words));
  stage.same('GUARD-4', 'pseudonyms stand for card, SSN and IBAN', pseudonyms, ['Card', 'Ssn', 'Iban']);
  await stage.agree('TASK-3', task_id, 'active', manager);
  return task;
}

async function ask(stage: Stage, manager: Agent, task: TaskView): Promise<ApprovalView> {
  const data = task.data as { amount: number; currency: string; pay_to: string };
  const approval = await stage.step(manager, 'asks for an approval under the policy "spend"', () =>
    manager.call(requestApproval, {
      task_id: task.id,
      reason: 'The claim is over the limit of 10,000 USD.',
      evidence: { receipts: 7, trip: 'Hamburg' },
      approvers: { policy: 'spend' },
      action: {
        tool: 'payments.transfer',
        arguments: { amount: data.amount, currency: data.currency, to: data.pay_to },
        target: 'payroll account',
      },
      editable: { type: 'object', properties: { amount: { type: 'number', minimum: 1, maximum: data.amount } } },
      due_in: '4h',
    }),
  );
  await stage.agree('APPR-1', approval.id, 'pending', manager);
  await stage.refused('APPR-2', manager, 'decides its own request', 'not_an_approver', () =>
    manager.call(respondToApproval, { approval_id: approval.id, decision: 'approve' }),
  );
  const early = redeemableOf(approval);
  await stage.refused('APPR-5', manager, 'redeems before anybody decided', 'not_approved', () =>
    manager.call(redeemApproval, { approval_id: approval.id, action: early }),
  );
  return approval;
}

async function decide(stage: Stage, manager: Agent, { id: approval_id }: ApprovalView): Promise<void> {
  const marcus = stage.person('Marcus Oduya');
  const { approvals } = await marcus.call(listApprovals, { status: 'pending', assignee: 'me' });
  stage.check(
    'APPR-7',
    'the approval waits in the inbox of Marcus',
    approvals.some(({ id }) => id === approval_id),
  );
  const priya = stage.person('Priya Lindqvist');
  await stage.refused('APPR-3', priya, 'decides, though no approver', 'not_an_approver', () =>
    priya.call(respondToApproval, { approval_id, decision: 'approve' }),
  );
  const decision = {
    approval_id,
    decision: 'approve',
    comment: 'Without the dinner.',
    edits: { amount: ALLOWED },
  } as const;
  const decided = await stage.step(marcus, `approves $${String(ALLOWED)} instead`, () =>
    marcus.call(respondToApproval, decision),
  );
  stage.same(
    'APPR-3',
    'the vote is recorded as edited',
    decided.votes.map(({ by, edited }) => [by, edited]),
    [[marcus.id, true]],
  );
  await stage.agree('APPR-3', approval_id, 'approved', manager);
  const ines = stage.person('Ines Calder');
  await stage.refused('APPR-3', ines, 'decides after it was decided', 'approval_already_decided', () =>
    ines.call(respondToApproval, { approval_id, decision: 'reject' }),
  );
}

async function redeem(stage: Stage, manager: Agent, original: ApprovalView): Promise<void> {
  const approval_id = original.id;
  await stage.refused('APPR-6', manager, 'redeems the original amount', 'action_mismatch', () =>
    manager.call(redeemApproval, { approval_id, action: redeemableOf(original) }),
  );
  const { approval } = await manager.call(fetchStatus, { task_id: approval_id });
  if (!approval) throw new Error(`fetch_status of ${approval_id} holds no approval.`);
  const action = redeemableOf(approval);
  stage.same('APPR-6', 'the approved action has the edited amount', action.arguments['amount'], ALLOWED);
  const receipt = await stage.step(manager, 'redeems exactly what was approved', () =>
    manager.call(redeemApproval, { approval_id, action }),
  );
  stage.same('APPR-6', 'it runs the approved digest', receipt.digest, approval.digest);
  await stage.refused('APPR-6', manager, 'redeems it twice', 'already_redeemed', () =>
    manager.call(redeemApproval, { approval_id, action }),
  );
  await stage.agree('APPR-6', approval_id, 'approved', manager);
}

/** The action as its requester sees it: what it does not see in clear it redeems by pseudonym. */
const redeemableOf = ({ action }: ApprovalView) =>
  action as { tool: string; arguments: Record<string, string | number>; target: string };

async function complete(stage: Stage, manager: Agent, task_id: string): Promise<void> {
  await stage.step(manager, 'reports that it is half done', () =>
    manager.call(reportProgress, { task_id, percent: 50 }),
  );
  await stage.refused('TASK-4', manager, 'completes with a result that does not fit', 'output_mismatch', () =>
    manager.call(completeTask, { task_id, result: { approved_amount: 'twelve' } }),
  );
  const result = { approved_amount: ALLOWED, remark: 'Paid without the dinner.' };
  await stage.step(manager, 'completes the task', () => manager.call(completeTask, { task_id, result }));
  await stage.agree('TASK-4', task_id, 'completed', manager);
  await tellClaimant(stage, manager, task_id);
}

async function tellClaimant(stage: Stage, manager: Agent, task_id: string): Promise<void> {
  const owen = stage.person('Owen Tashiro');
  const message = `The claim was paid: ${String(ALLOWED)} USD.`;
  const { notification_id } = await stage.step(manager, 'notifies Owen Tashiro', () =>
    manager.call(notify, { target: owen.id, message, task_id, ack_required: true }),
  );
  const waiting = async (): Promise<boolean> =>
    (await owen.call(listNotifications, { unacked: true })).notifications.some(({ id }) => id === notification_id);
  stage.check('NOTE-1', 'the notification waits for Owen', await waiting());
  await stage.step(owen, 'acknowledges', () => owen.call(ackNotification, { notification_id }));
  stage.check('NOTE-1', 'it no longer waits', !(await waiting()));
}

async function readResult(stage: Stage, finance: Agent, task_id: string): Promise<void> {
  const status = await stage.step(finance, 'reads the result', () => finance.call(fetchStatus, { task_id }));
  const { approved_amount } = (status.result ?? {}) as { approved_amount?: number };
  stage.same('TASK-6', 'the sender reads the result', approved_amount, ALLOWED);
  const actions = status.timeline.map(({ action }) => action);
  const story = [
    'task.sent',
    'task.claimed',
    'approval.requested',
    'approval.decided',
    'approval.redeemed',
    'task.completed',
  ];
  stage.same(
    'TASK-6',
    'the timeline tells the story in order',
    actions.filter((one) => story.includes(one)),
    story,
  );
  const inbox = InboxView.parse(await finance.read('switchboard://inbox'));
  const notices = inbox.notifications.filter(
    ({ message, title }) => title === 'Task completed' && message.includes(task_id),
  );
  stage.same('NOTE-1', 'notices of the completion in the sender’s inbox', notices.length, 1);
}
