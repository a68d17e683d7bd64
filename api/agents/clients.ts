import type { RegisteredAgent } from '../../contracts/agents.ts';
import { removeOtherClients, saveAgentClient } from '../../db/agent-clients.ts';
import type { Queryable } from '../../db/pool.ts';
import type { ApiDeps } from '../deps.ts';
import { ApiError } from '../problem.ts';

/** Lets an agent sign in as one client of the provider and no other; null: as none. In a transaction. */
export async function setClient(
  { identity: { settings } }: ApiDeps,
  sql: Queryable,
  agentId: string,
  clientId: string | null,
): Promise<void> {
  const { issuer } = settings;
  if (issuer === undefined) {
    if (clientId === null) return;
    throw new ApiError({ code: 'directory_conflict', detail: 'client_id: no OpenID provider is set here.' });
  }
  await removeOtherClients(sql, issuer, agentId, clientId);
  if (clientId === null) return;
  const own = [settings.clientId, ...settings.peopleClients, ...settings.exchangeClients];
  const taken =
    own.includes(clientId) || !(await saveAgentClient(sql, issuer, { client_id: clientId, agent_id: agentId }));
  if (taken)
    throw new ApiError({
      code: 'directory_conflict',
      detail: `The client ${clientId} is somebody else already: a client is one agent, or one service.`,
    });
}

/** What whoever registered an agent has to do for it to get in. */
export function signInOf({ identity: { settings } }: ApiDeps, { id, client_id }: RegisteredAgent): string {
  const { issuer, audience, staticKeys } = settings;
  if (issuer !== undefined && client_id !== null)
    return `Get an access token of ${issuer} by client credentials as ${client_id}, for the audience ${audience}.`;
  if (staticKeys) return 'Send the key: Authorization: Bearer <key>. It counts where development keys are on.';
  return `Make a client at the OpenID provider, and name it: PUT /agents/${id} {"client_id": "…"}.`;
}
