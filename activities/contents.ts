import { getClient } from '@temporalio/activity';
import { WorkflowNotFoundError } from '@temporalio/common';

import { approvalWorkflowId } from '../contracts/approval-workflow.ts';
import { ID_PREFIXES } from '../contracts/ids.ts';
import { sessionWorkflowId } from '../contracts/session-workflow.ts';
import { taskWorkflowId } from '../contracts/task-workflow.ts';
import { abandonedContents, keepContent, removeAbandoned } from '../db/contents.ts';
import type { Database } from '../db/pool.ts';

/** Contents that one sweep asks Temporal about, for each organisation. */
const A_SWEEP = 20;

/** Content has the id of what its request was to create (see api/call.ts): these are the workflows it may belong to. */
const workflowsOf = (organisation: string, content: string): string[] => {
  const uuid = content.slice(content.indexOf('_') + 1);
  return [
    taskWorkflowId(organisation, `${ID_PREFIXES.task}_${uuid}`),
    approvalWorkflowId(organisation, `${ID_PREFIXES.approval}_${uuid}`),
    sessionWorkflowId(organisation, `${ID_PREFIXES.session}_${uuid}`),
  ];
};

/** Whether a workflow is open; true also where Temporal cannot tell: in doubt nothing is removed. */
async function isOpen(workflowId: string): Promise<boolean> {
  try {
    const { status } = await getClient().workflow.getHandle(workflowId).describe();
    return status.name === 'RUNNING' || status.name === 'PAUSED' || status.name === 'UNKNOWN';
  } catch (error) {
    return !(error instanceof WorkflowNotFoundError);
  }
}

/** Removes sealed content of requests that died before their workflow started; nobody will ever mask or read it. */
export async function sweepContents(database: Database, organisation: string): Promise<void> {
  const found = await database.inOrganisation(organisation, (sql) => abandonedContents(sql, A_SWEEP));
  for (const id of found) {
    const open = await Promise.all(workflowsOf(organisation, id).map(isOpen));
    await database.inOrganisation(organisation, (sql) =>
      open.includes(true) ? keepContent(sql, id) : removeAbandoned(sql, id),
    );
  }
}
