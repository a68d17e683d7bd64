import { listNotifications } from '../../../contracts/notifications.ts';
import { fetchStatus, InboxView } from '../../../contracts/status.ts';
import { claimTask, completeTask, getTask, routeTask } from '../../../contracts/tasks.ts';
import type { TaskView } from '../../../contracts/tasks.ts';
import type { Agent } from '../agent.ts';
import type { Stage } from '../stage.ts';

/** A task to a role whose agent is not there: reminded, escalated to the manager of the role's head, and late. */
export async function lateWork(stage: Stage, hr: Agent): Promise<() => Promise<void>> {
  const { task_id } = await stage.step(hr, 'sends a report to analyst, where no agent is', () =>
    hr.call(routeTask, {
      target: 'analyst',
      type: 'attrition_report',
      title: 'Report on attrition',
      sla: { respond_within: '3s', complete_within: '8s' },
    }),
  );
  await stage.agree('TASK-5', task_id, 'pending', hr);
  const look = (): Promise<TaskView> => stage.observer.call(getTask, { task_id });
  const ines = stage.person('Ines Calder');
  const escalated = await stage.until(look, (task) => task.escalated_to !== null);
  stage.same('TASK-5', 'escalated to the manager above the analysts', escalated.escalated_to, ines.id);
  await stage.step(ines, 'claims what was escalated to her', () => ines.call(claimTask, { task_id }));
  await stage.agree('TASK-5', task_id, 'active', hr);
  const late = await stage.until(look, (task) => task.sla_breached);
  stage.check('TASK-5', 'the breach is recorded', late.sla_breached);
  return () => finish(stage, hr, task_id);
}

async function finish(stage: Stage, hr: Agent, task_id: string): Promise<void> {
  const ines = stage.person('Ines Calder');
  const { notifications } = await ines.call(listNotifications, {});
  const inbox = InboxView.parse(await hr.read('switchboard://inbox'));
  const about = (list: InboxView['notifications']): string[] =>
    list
      .filter(({ message }) => message.includes(task_id))
      .map(({ title }) => title ?? '')
      .sort();
  stage.same('TASK-5', 'notices to Ines', about(notifications), ['Task escalated to you', 'Task is late']);
  stage.same('TASK-5', 'notices to the sender', about(inbox.notifications), ['Task is late']);
  await stage.step(ines, 'completes it, late', () => ines.call(completeTask, { task_id, result: { attrition: 0.04 } }));
  await stage.agree('TASK-5', task_id, 'completed', hr);
  const { timeline } = await hr.call(fetchStatus, { task_id });
  const story = [
    'task.sent',
    'task.sla_reminded',
    'task.sla_escalated',
    'task.claimed',
    'task.sla_breached',
    'task.completed',
  ];
  stage.same(
    'TASK-5',
    'the timeline tells the story in order',
    timeline.map(({ action }) => action),
    story,
  );
}
