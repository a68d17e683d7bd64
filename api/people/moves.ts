import {
  DIRECTORY_CHANGE_WORKFLOW,
  directoryChangeWorkflowId,
  movesWaitingSignal,
} from '../../contracts/directory-workflow.ts';
import type { DirectoryChangeWorkflow } from '../../contracts/directory-workflow.ts';
import type { ApiDeps } from '../deps.ts';

/**
 * Has the open work moved of those who left or changed roles. The rows that say whose are committed with the change, so
 * whatever goes wrong here only makes it later: the sweep starts what was not started.
 */
export function moveWork({ client, taskQueue, log }: ApiDeps, organisationId: string): void {
  client.workflow
    .signalWithStart<DirectoryChangeWorkflow>(DIRECTORY_CHANGE_WORKFLOW, {
      workflowId: directoryChangeWorkflowId(organisationId),
      taskQueue,
      args: [{ organisation_id: organisationId }],
      signal: movesWaitingSignal,
    })
    .catch((error: unknown) => {
      log.warn(
        { err: error, organisation_id: organisationId },
        'moving open work could not be started; the sweep will',
      );
    });
}
