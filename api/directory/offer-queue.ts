import type { Role } from '../../contracts/principal.ts';
import { agentAvailableSignal, taskWorkflowId } from '../../contracts/tasks.ts';
import { queuedTaskIds } from '../../db/tasks.ts';
import type { ApiDeps } from '../deps.ts';

/** Queued tasks that an agent which comes online is offered at once; it claims further ones from its inbox. */
const OFFERED = 50;

/** Tells the queued tasks of a role that somebody is there now. */
export async function offerQueue(
  { database, client, log }: ApiDeps,
  { organisation_id, role }: { readonly organisation_id: string; readonly role: Role },
): Promise<void> {
  const ids = await database.inOrganisation(organisation_id, (sql) => queuedTaskIds(sql, role, OFFERED));
  const signals = ids.map((id) =>
    client.workflow.getHandle(taskWorkflowId(organisation_id, id)).signal(agentAvailableSignal),
  );
  const failed = (await Promise.allSettled(signals)).filter((one) => one.status === 'rejected').length;
  if (failed > 0)
    log.warn({ failed, role }, 'some queued tasks could not be offered; the inbox shows them all the same');
}
