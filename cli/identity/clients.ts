import { saveAgentClient, saveServiceClient } from '../../db/agent-clients.ts';
import { listAgents } from '../../db/directory.ts';
import type { Queryable } from '../../db/pool.ts';
import { newId } from '../../platform/ids.ts';
import { recordOperator } from '../operator-record.ts';
import { say } from '../say.ts';
import { given, inOrganisation, needed } from './command.ts';
import type { Command } from './command.ts';

/** Says which agent a client of the provider is, or that it is a service which keeps people up to date. */
export function addClient(command: Command): Promise<number> {
  const { oidcIssuer: issuer } = command.config;
  if (issuer === undefined) throw new Error('Set SWITCHBOARD_OIDC_ISSUER: a client belongs to an issuer.');
  const isService = command.values['service'] === true;
  if (isService && given(command, 'agent') !== undefined)
    throw new Error('A client is an agent or a service: give --agent NAME or --service, not both.');
  const client = { client_id: needed(command, 'client'), subject: given(command, 'subject') ?? null };
  const name = isService ? undefined : needed(command, 'agent');
  return inOrganisation(command, (database, organisation) =>
    database.transaction(organisation, async (sql) => {
      const told =
        name === undefined ? await addService(sql, issuer, client) : await addAgent(sql, issuer, client, name);
      say(`${client.client_id} at ${issuer} is ${told} from now on.`);
    }),
  );
}

interface NewClient {
  readonly client_id: string;
  readonly subject: string | null;
}

const taken = ({ client_id }: NewClient): Error =>
  new Error(`${client_id} is registered as somebody else already: a client is one agent, or one service.`);

async function addAgent(sql: Queryable, issuer: string, client: NewClient, name: string): Promise<string> {
  const agent = (await listAgents(sql)).find((one) => one.name === name || one.id === name);
  if (!agent) throw new Error(`No agent is called ${name}.`);
  if (!(await saveAgentClient(sql, issuer, { ...client, agent_id: agent.id }))) throw taken(client);
  const details = { issuer, client: client.client_id };
  await recordOperator(sql, { action: 'identity.client_added', kind: 'identity', id: agent.id, details });
  return agent.name;
}

async function addService(sql: Queryable, issuer: string, client: NewClient): Promise<string> {
  const service_id = newId('content').replace('cont_', 'service_');
  if (!(await saveServiceClient(sql, issuer, { ...client, service_id }))) throw taken(client);
  const details = { issuer, client: client.client_id };
  await recordOperator(sql, { action: 'identity.client_added', kind: 'identity', id: service_id, details });
  return `the service ${service_id}`;
}
