import { getExternalWorkflowHandle } from '@temporalio/workflow';

import { parsePayload } from '../../contracts/parse.ts';
import { Fanout } from '../../contracts/session-workflow.ts';
import type { FanoutWorkflow } from '../../contracts/session-workflow.ts';
import { cancelSignal, pausedSignal, taskWorkflowId } from '../../contracts/task-workflow.ts';
import { local } from '../local.ts';

/** Carries a pause, its end or a cancellation to every open task of a session, agent, role or organisation. */
export const fanout: FanoutWorkflow = async (payload) => {
  const { organisation_id, scope, id, message } = parsePayload(Fanout, payload);
  const by = scope === 'organisation' ? 'organisation' : `${scope}:${id}`;
  const reach = (taskId: string): Promise<void> => {
    const task = getExternalWorkflowHandle(taskWorkflowId(organisation_id, taskId));
    if (message === 'cancel') return task.signal(cancelSignal, { because: `${by} was cancelled` });
    return task.signal(pausedSignal, { by, paused: message === 'pause' });
  };
  let reached = 0;
  let page = await local.openTasks({ organisation_id, scope, id, after: null });
  while (page.length > 0) {
    // A task that ended meanwhile cannot be reached and need not be.
    await Promise.allSettled(page.map(reach));
    reached += page.length;
    page = await local.openTasks({ organisation_id, scope, id, after: page.at(-1) ?? null });
  }
  return { reached };
};
