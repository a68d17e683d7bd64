import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import { ParentClosePolicy, startChild } from '@temporalio/workflow';

import { DIRECTORY_CHANGE_WORKFLOW, directoryChangeWorkflowId } from '../../contracts/directory-workflow.ts';
import type { DirectoryChangeWorkflow, DirectorySweepWorkflow } from '../../contracts/directory-workflow.ts';
import { directorySweeping } from '../local.ts';

/** Runs twice a minute: finds agents that stopped answering, and starts what a process could not that died in between. */
export const directorySweep: DirectorySweepWorkflow = async () => {
  const organisations = await directorySweeping.sweepDirectory();
  const started = await Promise.all(organisations.map(start));
  return { started: started.filter(Boolean).length };
};

async function start(organisation_id: string): Promise<boolean> {
  try {
    await startChild<DirectoryChangeWorkflow>(DIRECTORY_CHANGE_WORKFLOW, {
      workflowId: directoryChangeWorkflowId(organisation_id),
      args: [{ organisation_id }],
      parentClosePolicy: ParentClosePolicy.ABANDON,
    });
    return true;
  } catch (error) {
    // It is at work already.
    if (error instanceof WorkflowExecutionAlreadyStartedError) return false;
    throw error;
  }
}
