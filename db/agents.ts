import type { RegisteredAgent } from '../contracts/agents.ts';
import type { Role } from '../contracts/principal.ts';
import { ONLINE_SECONDS } from './directory.ts';
import type { AgentRow } from './directory.ts';
import type { Queryable } from './pool.ts';

/** An agent with all that it was registered with; `status` is what it is now. */
export interface RegistryRow extends AgentRow {
  readonly owner: string | null;
  readonly client_id: string | null;
  readonly drained: boolean;
  readonly project_id: number | null;
  readonly type: string | null;
  readonly risk_level: string | null;
  readonly entry_path: string | null;
  readonly description: string | null;
  readonly capabilities: RegisteredAgent['capabilities'];
  readonly created_at: Date;
  readonly updated_at: Date;
}

/** What it is now: who says nothing for a while is offline, whatever it said last. */
const STATUS = `CASE WHEN last_seen_at > now() - interval '${String(ONLINE_SECONDS)} seconds' THEN status ELSE 'offline' END`;
const COLUMNS = `id, name, role, acts_for, skills, capacity, version, rollout_weight, ${STATUS} AS status, last_seen_at, owner,
  drained, project_id, type, risk_level, entry_path, description, capabilities, created_at, updated_at,
  (SELECT c.client_id FROM agent_clients c WHERE c.agent_id = agents.id ORDER BY c.created_at, c.client_id LIMIT 1) AS client_id`;

export interface NewAgent {
  readonly id: string;
  readonly name: string;
  readonly role: Role;
  readonly acts_for: string | null;
  readonly owner: string | null;
  readonly skills: readonly string[];
  readonly capacity: number;
  readonly version: string;
  readonly rollout_weight: number;
  readonly project_id: number | null;
  readonly type: string | null;
  readonly risk_level: string | null;
  readonly entry_path: string | null;
  readonly description: string | null;
  readonly capabilities: unknown;
}

/** Adds an agent; undefined where another one has the name. The same id again is the same agent. */
export async function addAgent(sql: Queryable, agent: NewAgent): Promise<RegistryRow | undefined> {
  await sql.query(
    `INSERT INTO agents (organisation_id, id, name, role, acts_for, owner, skills, capacity, version, rollout_weight,
       project_id, type, risk_level, entry_path, description, capabilities)
     VALUES (current_setting('app.organisation'), $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
     ON CONFLICT DO NOTHING`,
    [
      agent.id,
      agent.name,
      agent.role,
      agent.acts_for,
      agent.owner,
      agent.skills,
      agent.capacity,
      agent.version,
      agent.rollout_weight,
      agent.project_id,
      agent.type,
      agent.risk_level,
      agent.entry_path,
      agent.description,
      JSON.stringify(agent.capabilities),
    ],
  );
  return findRegistered(sql, agent.id);
}

export const findRegistered = async (sql: Queryable, id: string): Promise<RegistryRow | undefined> =>
  (await sql.query<RegistryRow>(`SELECT ${COLUMNS} FROM agents WHERE id = $1`, [id]))[0];

export interface AgentQuery {
  readonly role?: string | undefined;
  readonly skill?: string | undefined;
  readonly status?: string | undefined;
  readonly project_id?: number | undefined;
  readonly after?: string | undefined;
  readonly ascending: boolean;
  readonly limit: number;
}

/** A page of agents. */
export function listRegistered(sql: Queryable, query: AgentQuery): Promise<RegistryRow[]> {
  const values: unknown[] = [];
  const bind = (value: unknown): string => `$${String(values.push(value))}`;
  const conditions = ['true'];
  if (query.role !== undefined) conditions.push(`role = ${bind(query.role)}`);
  if (query.skill !== undefined) conditions.push(`${bind(query.skill)} = ANY (skills)`);
  if (query.status !== undefined) conditions.push(`coalesce(${STATUS}, 'offline') = ${bind(query.status)}`);
  if (query.project_id !== undefined) conditions.push(`project_id = ${bind(query.project_id)}`);
  if (query.after !== undefined) conditions.push(`id ${query.ascending ? '>' : '<'} ${bind(query.after)}`);
  return sql.query<RegistryRow>(
    `SELECT ${COLUMNS} FROM agents WHERE ${conditions.join(' AND ')}
     ORDER BY id ${query.ascending ? 'ASC' : 'DESC'} LIMIT ${bind(query.limit)}`,
    values,
  );
}

/** Changes what an agent is registered with; what is undefined stays. */
export const changeAgent = async (
  sql: Queryable,
  id: string,
  change: Readonly<Record<string, unknown>>,
): Promise<RegistryRow | undefined> =>
  (
    await sql.query<RegistryRow>(
      `UPDATE agents SET skills = coalesce($2, skills), capacity = coalesce($3, capacity), version = coalesce($4, version),
         rollout_weight = coalesce($5, rollout_weight), entry_path = coalesce($6, entry_path),
         risk_level = coalesce($7, risk_level), description = CASE WHEN $8 THEN $9 ELSE description END, updated_at = now()
       WHERE id = $1 RETURNING ${COLUMNS}`,
      [
        id,
        change['skills'] ?? null,
        change['capacity'] ?? null,
        change['version'] ?? null,
        change['rollout_weight'] ?? null,
        change['entryPath'] ?? null,
        change['riskLevel'] ?? null,
        change['description'] !== undefined,
        change['description'] ?? null,
      ],
    )
  )[0];

/** Holds an agent back from new work, or lets it have some again. */
export const setDrained = async (sql: Queryable, id: string, drained: boolean): Promise<RegistryRow | undefined> =>
  (
    await sql.query<RegistryRow>(
      `UPDATE agents SET drained = $2, updated_at = now(),
         status = CASE WHEN status = 'offline' THEN 'offline' WHEN $2 THEN 'draining' ELSE 'online' END
       WHERE id = $1 RETURNING ${COLUMNS}`,
      [id, drained],
    )
  )[0];

/** Takes an agent away with its keys; its history stays. */
export async function deleteAgent(sql: Queryable, id: string): Promise<boolean> {
  await sql.query('UPDATE api_keys SET revoked_at = now() WHERE principal_id = $1 AND revoked_at IS NULL', [id]);
  return (await sql.query('DELETE FROM agents WHERE id = $1 RETURNING 1', [id])).length > 0;
}
