import type { Client } from '@temporalio/client';

const KINDS = ['delivery', 'fanout', 'task', 'approval', 'session', 'recipe'];

/** Ends what is open of an organisation, whose histories cannot be read any more. Answers how many there were. */
export async function endWorkflowsOf(client: Client, organisationId: string): Promise<number> {
  const ids = KINDS.map((kind) => `WorkflowId STARTS_WITH '${kind}:${organisationId}:'`);
  const query = `ExecutionStatus = 'Running' AND (${ids.join(' OR ')})`;
  let ended = 0;
  for await (const { workflowId } of client.workflow.list({ query })) {
    // One that ended in between needs nothing.
    await client.workflow
      .getHandle(workflowId)
      .terminate('the organisation was erased')
      .catch(() => undefined);
    ended += 1;
  }
  return ended;
}
