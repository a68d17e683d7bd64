import { updateSession } from '../../../contracts/sessions.ts';
import { InboxView } from '../../../contracts/status.ts';
import { claimTask, completeTask, getTask } from '../../../contracts/tasks.ts';
import type { TaskView } from '../../../contracts/tasks.ts';
import type { Agent } from '../agent.ts';
import type { Stage } from '../stage.ts';

/** Who and what a pause concerns. */
export interface Paused {
  readonly hr: Agent;
  readonly finance: Agent;
  readonly manager: Agent;
  readonly session_id: string;
  /** A task that nobody claimed yet. */
  readonly waiting: string;
  /** A task that finance works on. */
  readonly inFlight: string;
}

const dueOf = ({ complete_by }: TaskView): number | null => (complete_by === null ? null : Date.parse(complete_by));

/** While the session is paused nothing is handed out and clocks stand; work in flight may finish. */
export async function pauseAndResume(stage: Stage, paused: Paused): Promise<void> {
  const { hr, manager, session_id, waiting } = paused;
  const task = (): Promise<TaskView> => stage.observer.call(getTask, { task_id: waiting });
  const before = dueOf(await task());
  await stage.step(hr, 'pauses the session', () => hr.call(updateSession, { session_id, event: 'pause' }));
  await stage.agree('SESS-4', session_id, 'paused', hr);
  const held = await stage.until(task, (one) => one.paused);
  stage.same('SESS-4', 'the task that waits is held, its clock stands', [held.paused, held.complete_by], [true, null]);
  await stage.refused('SESS-4', manager, 'claims a task of a paused session', 'illegal_transition', () =>
    manager.call(claimTask, { task_id: waiting }),
  );
  stage.check('SESS-4', 'the inbox does not offer it', !(await offers(manager, waiting)));
  await finishInFlight(stage, paused);
  await stage.step(hr, 'resumes the session', () => hr.call(updateSession, { session_id, event: 'resume' }));
  await stage.agree('SESS-4', session_id, 'active', hr);
  const after = dueOf(await stage.until(task, (one) => !one.paused));
  stage.check('SESS-4', 'the time of the pause is added to its deadline', (after ?? 0) > (before ?? Infinity));
  stage.check('SESS-4', 'the inbox offers it again', await offers(manager, waiting));
}

async function finishInFlight(stage: Stage, { hr, finance, inFlight }: Paused): Promise<void> {
  await stage.step(finance, 'finishes the work it had in hand', () =>
    finance.call(completeTask, { task_id: inFlight, result: { budget: 'covered' } }),
  );
  await stage.agree('SESS-4', inFlight, 'completed', hr);
}

async function offers(agent: Agent, taskId: string): Promise<boolean> {
  const { tasks } = InboxView.parse(await agent.read('switchboard://inbox'));
  return tasks.some(({ id }) => id === taskId);
}
