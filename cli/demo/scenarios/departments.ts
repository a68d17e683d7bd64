import { createSession, updateSession } from '../../../contracts/sessions.ts';
import { claimTask, completeTask, routeTask } from '../../../contracts/tasks.ts';
import type { Agent } from '../agent.ts';
import { DANA } from '../personal-data.ts';
import type { Stage } from '../stage.ts';
import { lateWork } from './late-work.ts';
import { pauseAndResume } from './pause.ts';
import { quorum } from './quorum.ts';

/** Two departments work at once, two managers have to agree, one task is late and climbs the org chart, and work pauses. */
export async function departments(stage: Stage): Promise<void> {
  const hr = await stage.agent('hr-agent');
  const finance = await stage.agent('finance-agent');
  const manager = await stage.agent('manager-agent');
  // Both stories are told to their end before a fault of either is thrown.
  const [late, hired] = await Promise.allSettled([lateWork(stage, hr), hire(stage, hr, finance, manager)]);
  if (hired.status === 'rejected') throw hired.reason;
  if (late.status === 'rejected') throw late.reason;
  await late.value();
  stage.checkClearances(['email', 'card', 'iban', 'ssn']);
}

async function hire(stage: Stage, hr: Agent, finance: Agent, manager: Agent): Promise<void> {
  const session_id = await openSession(stage, hr);
  const [salary, seat] = await Promise.all([
    send(stage, hr, session_id, 'finance', 'salary_check'),
    send(stage, hr, session_id, 'manager', 'headcount_check'),
  ]);
  await stage.step(finance, 'claims the salary check', () => finance.call(claimTask, { task_id: salary }));
  await stage.agree('TASK-3', salary, 'active', finance);
  await pauseAndResume(stage, { hr, finance, manager, session_id, waiting: seat, inFlight: salary });
  await stage.step(manager, 'claims the headcount check', () => manager.call(claimTask, { task_id: seat }));
  await stage.agree('SESS-4', seat, 'active', manager);
  await quorum(stage, manager, seat);
  await stage.step(manager, 'completes the headcount check', () =>
    manager.call(completeTask, { task_id: seat, result: { seat: 'granted' } }),
  );
  await stage.agree('TASK-4', seat, 'completed', hr);
  await stage.step(hr, 'completes the session', () => hr.call(updateSession, { session_id, event: 'complete' }));
  await stage.agree('SESS-1', session_id, 'completed', hr);
}

async function openSession(stage: Stage, hr: Agent): Promise<string> {
  const { id: session_id } = await stage.step(hr, 'opens a session with finance and manager', () =>
    hr.call(createSession, { title: 'A new colleague', participants: ['finance', 'manager'] }),
  );
  await stage.step(hr, 'activates the session', () => hr.call(updateSession, { session_id, event: 'activate' }));
  await stage.agree('SESS-1', session_id, 'active', hr);
  return session_id;
}

async function send(stage: Stage, hr: Agent, session_id: string, target: string, type: string): Promise<string> {
  const { task_id } = await stage.step(hr, `sends ${type.replace('_', ' ')} to ${target}`, () =>
    hr.call(routeTask, {
      target,
      session_id,
      type,
      title: `New colleague: ${type.replace('_', ' ')}`,
      description: `${DANA.name} <${DANA.email}>, SSN ${DANA.ssn}, starts in March.`,
      payload: { salary: 84_000, account: DANA.iban, travel_card: DANA.card },
      sla: { complete_within: '1h' },
    }),
  );
  await stage.agree('TASK-1', task_id, 'pending', hr);
  return task_id;
}
