import { newId } from '../platform/ids.ts';
import type { UserRow } from './directory.ts';
import type { Queryable } from './pool.ts';

/** A client that signs in for itself: an agent, or a service. */
export type ClientRow = { readonly organisation_id: string; readonly subject: string | null } & (
  { readonly agent_id: string; readonly service_id: null } | { readonly agent_id: null; readonly service_id: string }
);

/** The agent or service that a client is, before the organisation is known. */
export const findClient = async (sql: Queryable, issuer: string, clientId: string): Promise<ClientRow | undefined> =>
  (await sql.query<ClientRow>('SELECT * FROM find_client($1, $2)', [issuer, clientId]))[0];

/** Says which service a client is; false where it is somebody's already. */
export const saveServiceClient = async (
  sql: Queryable,
  issuer: string,
  client: { readonly client_id: string; readonly service_id: string; readonly subject: string | null },
): Promise<boolean> =>
  (
    await sql.query<object>(
      `INSERT INTO agent_clients (organisation_id, issuer, client_id, subject, service_id)
       VALUES (current_setting('app.organisation'), $1, $2, $3, $4)
       ON CONFLICT (issuer, client_id) DO NOTHING RETURNING client_id`,
      [issuer, client.client_id, client.subject, client.service_id],
    )
  ).length > 0;

/** Takes an agent's clients at an issuer away, but for one. */
export const removeOtherClients = (
  sql: Queryable,
  issuer: string,
  agentId: string,
  keep: string | null,
): Promise<object[]> =>
  sql.query(
    'DELETE FROM agent_clients WHERE issuer = $1 AND agent_id = $2 AND client_id IS DISTINCT FROM $3 RETURNING client_id',
    [issuer, agentId, keep],
  );

/** Says which agent a client is; false where it is somebody else's, of whichever organisation, and stays that. */
export async function saveAgentClient(
  sql: Queryable,
  issuer: string,
  client: { readonly client_id: string; readonly agent_id: string; readonly subject?: string | null },
): Promise<boolean> {
  await sql.query(
    `INSERT INTO agent_clients (organisation_id, issuer, client_id, subject, agent_id)
     VALUES (current_setting('app.organisation'), $1, $2, $3, $4)
     ON CONFLICT (issuer, client_id) DO NOTHING RETURNING client_id`,
    [issuer, client.client_id, client.subject ?? null, client.agent_id],
  );
  return (await findClient(sql, issuer, client.client_id))?.agent_id === client.agent_id;
}

/** The agent of a person at a client, where it was used before. */
export const findUserAgent = async (sql: Queryable, userId: string, clientId: string): Promise<string | undefined> =>
  (
    await sql.query<{ agent_id: string }>('SELECT agent_id FROM user_agents WHERE user_id = $1 AND client_id = $2', [
      userId,
      clientId,
    ])
  )[0]?.agent_id;

/** The agent of a person at a client, made at its first use; its name is the person's. In a transaction. */
export async function ensureUserAgent(
  sql: Queryable,
  user: UserRow,
  clientId: string,
  label: string,
): Promise<{ readonly id: string; readonly made: boolean }> {
  // Two first uses at once wait for each other here; agents of others are not held up.
  await sql.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [`user-agent/${user.id}/${clientId}`]);
  const known = await findUserAgent(sql, user.id, clientId);
  if (known !== undefined) return { id: known, made: false };
  const id = await addAgent(sql, user, `${user.name}'s agent (${label})`);
  await sql.query(
    `INSERT INTO user_agents (organisation_id, user_id, client_id, agent_id)
     VALUES (current_setting('app.organisation'), $1, $2, $3)`,
    [user.id, clientId, id],
  );
  return { id, made: true };
}

/** Names are unique in an organisation, people's are not: the second one gets the end of its id. */
async function addAgent(sql: Queryable, user: UserRow, name: string): Promise<string> {
  const id = newId('agent');
  for (const candidate of [name, `${name} ${id.slice(-6)}`]) {
    const rows = await sql.query<object>(
      `INSERT INTO agents (organisation_id, id, name, role, acts_for)
       VALUES (current_setting('app.organisation'), $1, $2, $3, $4) ON CONFLICT DO NOTHING RETURNING id`,
      [id, candidate, user.role, user.id],
    );
    if (rows.length > 0) return id;
  }
  throw new Error(`An agent for ${user.id} could not be added.`);
}

/** Lets the agents of a person have the role that the person has now. */
export const followRole = (sql: Queryable, agentId: string, role: string): Promise<object[]> =>
  sql.query('UPDATE agents SET role = $2 WHERE id = $1 AND role <> $2', [agentId, role]);
