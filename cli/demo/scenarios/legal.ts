import { requestApproval, respondToApproval, reviseApproval } from '../../../contracts/approvals.ts';
import {
  createSession,
  getSession,
  handoffSession,
  readShard,
  sessionTimeline,
  updateSession,
  writeShard,
} from '../../../contracts/sessions.ts';
import { fetchStatus } from '../../../contracts/status.ts';
import { claimTask, completeTask, handoffTask, routeTask } from '../../../contracts/tasks.ts';
import type { Agent } from '../agent.ts';
import { DANA } from '../personal-data.ts';
import type { Stage } from '../stage.ts';

const SECRET_SHARD = 'privileged-advice';
const SECRET = 'Settle below two million; the clause does not hold in court.';
const SHARED_SHARD = 'findings';

interface Team {
  readonly finance: Agent;
  readonly lawyer: Agent;
  readonly manager: Agent;
  readonly session_id: string;
}

/** One session of three departments: a part of its context is for legal alone, and a person sends the request back once. */
export async function legal(stage: Stage): Promise<void> {
  const finance = await stage.agent('finance-agent');
  const lawyer = await stage.agent('legal-agent');
  const manager = await stage.agent('manager-agent');
  const team = { finance, lawyer, manager, session_id: await openSession(stage, finance) };
  const task_id = await review(stage, team);
  await writeFindings(stage, team);
  await handOver(stage, team, task_id);
  const approval_id = await ask(stage, team, task_id);
  await sendBackAndApprove(stage, manager, approval_id);
  await finish(stage, team, task_id);
  stage.checkClearances(['email', 'card', 'iban', 'ssn']);
  await keepSecret(stage, team);
}

async function openSession(stage: Stage, finance: Agent): Promise<string> {
  const { id } = await stage.step(finance, 'opens a session with legal and manager', () =>
    finance.call(createSession, { title: 'Supplier contract 2026', participants: ['legal', 'manager'] }),
  );
  await stage.agree('SESS-1', id, 'pending', finance);
  const { participants } = await stage.observer.call(getSession, { session_id: id });
  stage.check(
    'SESS-2',
    'three departments take part',
    ['legal', 'manager'].every((one) => participants.includes(one)),
  );
  await stage.step(finance, 'activates the session', () =>
    finance.call(updateSession, { session_id: id, event: 'activate' }),
  );
  await stage.agree('SESS-1', id, 'active', finance);
  return id;
}

async function review(stage: Stage, { finance, lawyer, session_id }: Team): Promise<string> {
  const { task_id } = await stage.step(finance, 'sends the contract to legal for review', () =>
    finance.call(routeTask, {
      target: 'legal',
      session_id,
      type: 'contract_review',
      title: 'Review the supplier contract',
      description: `Signed by ${DANA.name} <${DANA.email}>, SSN ${DANA.ssn}.`,
      payload: { value: 2_400_000, currency: 'EUR', pay_to: DANA.iban, deposit_card: DANA.card },
    }),
  );
  await stage.agree('TASK-1', task_id, 'pending', finance);
  await stage.step(lawyer, 'claims it', () => lawyer.call(claimTask, { task_id }));
  await stage.agree('TASK-3', task_id, 'active', lawyer);
  return task_id;
}

async function writeFindings(stage: Stage, { finance, lawyer, session_id }: Team): Promise<void> {
  const secret = { session_id, name: SECRET_SHARD, readers: ['legal' as const] };
  const { version } = await stage.step(lawyer, 'writes a shard that only legal may read', () =>
    lawyer.call(writeShard, { ...secret, content: { advice: 'to be written' } }),
  );
  await stage.refused('SESS-3', lawyer, 'overwrites it unread', 'precondition_failed', () =>
    lawyer.call(writeShard, { ...secret, content: { advice: SECRET } }),
  );
  const written = await stage.step(lawyer, 'writes on the version it read', () =>
    lawyer.call(writeShard, { ...secret, content: { advice: SECRET }, if_match: String(version) }),
  );
  stage.same('SESS-3', 'the shard has a new version', written.version, version + 1);
  const shared = { opinion: 'Cap the liability.', contact: DANA.email, signatory: DANA.ssn };
  await stage.step(lawyer, 'writes its findings for everybody', () =>
    lawyer.call(writeShard, { session_id, name: SHARED_SHARD, content: shared }),
  );
  const { content } = await stage.step(finance, 'reads the findings', () =>
    finance.call(readShard, { session_id, name: SHARED_SHARD }),
  );
  const { contact, signatory } = content as Record<keyof typeof shared, string>;
  stage.same(
    'SESS-3',
    'finance reads the mail address, not the SSN',
    [contact, signatory === DANA.ssn],
    [DANA.email, false],
  );
}

async function handOver(stage: Stage, { finance, lawyer, manager, session_id }: Team, task_id: string): Promise<void> {
  const context = { advice: 'Sign with a capped liability.', risk: 'medium' };
  await stage.step(lawyer, 'hands the task to manager, with context', () =>
    lawyer.call(handoffTask, { task_id, target: 'manager', context, reason: 'The decision is yours.' }),
  );
  await stage.agree('TASK-4', task_id, 'pending', finance);
  const task = await stage.step(manager, 'claims it', () => manager.call(claimTask, { task_id }));
  const { handoff } = task.context as { handoff?: { context?: unknown } };
  stage.same('TASK-4', 'the context of the hand-off came along', handoff?.context, context);
  await stage.agree('TASK-4', task_id, 'active', manager);
  const session = await stage.step(finance, 'hands the lead of the session to manager', () =>
    finance.call(handoffSession, { session_id, to: manager.id, context: { next: 'approve and sign' } }),
  );
  stage.same('SESS-2', 'manager leads the session', session.lead, manager.id);
}

async function ask(stage: Stage, { manager, session_id }: Team, task_id: string): Promise<string> {
  const noor = stage.person('Noor Halvorsen');
  const { id } = await stage.step(manager, `asks ${noor.name} for an approval`, () =>
    manager.call(requestApproval, {
      task_id,
      session_id,
      reason: 'Sign the contract as it is.',
      approvers: { users: [noor.id] },
      action: { tool: 'contracts.sign', arguments: { contract: 'supplier-2026', liability_cap: null } },
    }),
  );
  await stage.agree('APPR-1', id, 'pending', manager);
  const { approvals } = await manager.call(fetchStatus, { task_id: session_id });
  stage.check(
    'SESS-2',
    'the session shows the approval',
    approvals.some((one) => one.id === id),
  );
  return id;
}

async function sendBackAndApprove(stage: Stage, manager: Agent, approval_id: string): Promise<void> {
  const noor = stage.person('Noor Halvorsen');
  await stage.step(noor, 'requests changes', () =>
    noor.call(respondToApproval, { approval_id, decision: 'request_changes', comment: 'Cap the liability first.' }),
  );
  await stage.agree('APPR-3', approval_id, 'changes_requested', manager);
  await stage.refused('APPR-3', noor, 'approves before it was revised', 'illegal_transition', () =>
    noor.call(respondToApproval, { approval_id, decision: 'approve' }),
  );
  const action = { tool: 'contracts.sign', arguments: { contract: 'supplier-2026', liability_cap: 500_000 } };
  const revised = await stage.step(manager, 'revises the request', () =>
    manager.call(reviseApproval, { approval_id, reason: 'Sign with a capped liability.', action }),
  );
  stage.same('APPR-3', 'it is the second revision, with no votes', [revised.revision, revised.votes.length], [2, 0]);
  await stage.agree('APPR-3', approval_id, 'pending', manager);
  await stage.step(noor, 'approves', () => noor.call(respondToApproval, { approval_id, decision: 'approve' }));
  await stage.agree('APPR-3', approval_id, 'approved', manager);
}

async function finish(stage: Stage, { finance, manager, session_id }: Team, task_id: string): Promise<void> {
  await stage.step(manager, 'completes the task', () =>
    manager.call(completeTask, { task_id, result: { decision: 'sign', liability_cap: 500_000 } }),
  );
  await stage.agree('TASK-4', task_id, 'completed', finance);
  const session = await stage.step(manager, 'completes the session', () =>
    manager.call(updateSession, { session_id, event: 'complete' }),
  );
  stage.same(
    'SESS-2',
    'the session counts its work',
    [session.tasks, session.approvals],
    [{ completed: 1 }, { approved: 1 }],
  );
  await stage.agree('SESS-1', session_id, 'completed', finance);
}

/** Neither the name nor the words of the shard ever reached anybody but legal; asking for it tells nothing. */
async function keepSecret(stage: Stage, { finance, lawyer, manager, session_id }: Team): Promise<void> {
  for (const agent of [finance, manager]) {
    await agent.call(fetchStatus, { task_id: session_id });
    const told = stage.received(agent).filter((text) => text.includes(SECRET_SHARD) || text.includes(SECRET));
    stage.same('SESS-3', `messages that told ${agent.name} of the shard`, told.length, 0);
    for (const name of [SECRET_SHARD, 'no-such-shard'])
      await stage.refused('SESS-3', agent, `asks for the shard ${name}`, 'not_found', () =>
        agent.call(readShard, { session_id, name }),
      );
  }
  const marcus = stage.person('Marcus Oduya');
  await stage.refused('SESS-3', marcus, `asks for the shard ${SECRET_SHARD}`, 'not_found', () =>
    marcus.call(readShard, { session_id, name: SECRET_SHARD }),
  );
  const { content } = await lawyer.call(readShard, { session_id, name: SECRET_SHARD });
  stage.same('SESS-3', 'legal reads its shard', content, { advice: SECRET });
  const { session } = await lawyer.call(fetchStatus, { task_id: session_id });
  stage.check('SESS-3', 'legal sees the name of its shard', session?.shards.includes(SECRET_SHARD) === true);
  await readTimelines(stage, session_id);
}

/** The timeline is one, but everybody reads it as far as they may. */
async function readTimelines(stage: Stage, session_id: string): Promise<void> {
  const actionsFor = async (name: string): Promise<string[]> => {
    const { entries } = await stage.person(name).call(sessionTimeline, { session_id, limit: 200 });
    return entries.map(({ action }) => action);
  };
  const [manager, counsel] = [await actionsFor('Marcus Oduya'), await actionsFor('Felix Amaro')];
  const written = (actions: string[]): number => actions.filter((one) => one === 'session.shard_written').length;
  stage.same(
    'SESS-6',
    'shard writes on the timeline of managers, and of legal',
    [written(manager), written(counsel)],
    [1, 3],
  );
  const story = [
    'session.opened',
    'task.sent',
    'task.handed_off',
    'session.handed_off',
    'approval.decided',
    'session.completed',
  ];
  const told = manager.filter((one, at) => story.includes(one) && manager.indexOf(one) === at);
  stage.same('SESS-6', 'the timeline tells the story in order', told, story);
}
