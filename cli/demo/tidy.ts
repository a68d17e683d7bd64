import { cancelTask, listTasks } from '../../contracts/tasks.ts';
import type { TaskStatus } from '../../contracts/tasks.ts';
import { refusalOf } from './actor.ts';
import { ADMINISTRATOR } from './cast.ts';
import type { Cast } from './cast.ts';

const OPEN: readonly TaskStatus[] = ['pending', 'active', 'stalled'];

/** Cancels what an interrupted run left open: it would take up the capacity of the agents. Answers how many. */
export async function tidy(cast: Cast): Promise<number> {
  const administrator = cast.person(ADMINISTRATOR);
  let cancelled = 0;
  for (const status of OPEN) {
    const { tasks } = await administrator.call(listTasks, { status, limit: 200 });
    for (const { task_id } of tasks) {
      const refusal = await refusalOf(
        administrator.call(cancelTask, { task_id, reason: 'Left by an interrupted demonstration.' }),
      );
      if (refusal === undefined) cancelled += 1;
    }
  }
  return cancelled;
}
