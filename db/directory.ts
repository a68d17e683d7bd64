import type { AgentView } from '../contracts/agents.ts';
import type { Role } from '../contracts/principal.ts';
import type { Queryable } from './pool.ts';

export interface UserRow {
  readonly id: string;
  readonly name: string;
  readonly role: Role;
  readonly department: string;
  readonly manager_id: string | null;
  readonly administrator: boolean;
  readonly active: boolean;
  /** Whose profile an administrator assigned, where it is not that of the role. */
  readonly assigned_profile: Role | null;
}
export interface AgentRow {
  readonly id: string;
  readonly name: string;
  readonly role: Role;
  readonly acts_for: string | null;
  readonly skills: string[];
  readonly capacity: number;
  readonly version: string;
  readonly rollout_weight: number;
  readonly status: AgentView['status'];
  readonly last_seen_at: Date | null;
}
export interface KeyRow {
  readonly organisation_id: string;
  readonly hash: Buffer;
  readonly principal_kind: 'user' | 'agent';
  readonly principal_id: string;
}

/** An agent counts as online for so long after its last sign of life. */
export const ONLINE_SECONDS = 120;

/** SQL on agents: whether one takes no new work, since it was held back from it, or has just said so itself. */
export const IS_DRAINING = `(drained OR (status = 'draining' AND last_seen_at > now() - interval '${String(ONLINE_SECONDS)} seconds'))`;

/** Whether an agent takes no new work. */
export const isDraining = async (sql: Queryable, id: string): Promise<boolean> =>
  (await sql.query<object>(`SELECT 1 FROM agents WHERE id = $1 AND ${IS_DRAINING}`, [id])).length > 0;

const USER = 'id, name, role, department, manager_id, administrator, active, assigned_profile';
const AGENT = 'id, name, role, acts_for, skills, capacity, version, rollout_weight, status, last_seen_at';

/** The key of an id, before the organisation is known. */
export const findKey = async (sql: Queryable, keyId: string): Promise<KeyRow | undefined> =>
  (await sql.query<KeyRow>('SELECT * FROM find_api_key($1)', [keyId]))[0];

export const findUser = async (sql: Queryable, id: string): Promise<UserRow | undefined> =>
  (await sql.query<UserRow>(`SELECT ${USER} FROM users WHERE id = $1 AND active`, [id]))[0];

export const findAgent = async (sql: Queryable, id: string): Promise<AgentRow | undefined> =>
  (await sql.query<AgentRow>(`SELECT ${AGENT} FROM agents WHERE id = $1`, [id]))[0];

export const listUsers = (sql: Queryable, role: Role | null = null): Promise<UserRow[]> =>
  sql.query<UserRow>(`SELECT ${USER} FROM users WHERE active AND ($1::text IS NULL OR role = $1) ORDER BY id`, [role]);

export const listAgents = (sql: Queryable, role: Role | null = null): Promise<AgentRow[]> =>
  sql.query<AgentRow>(`SELECT ${AGENT} FROM agents WHERE $1::text IS NULL OR role = $1 ORDER BY id`, [role]);

/** The user and everybody above, nearest first; ends at a cycle. */
export const managerChainOf = (sql: Queryable, userId: string): Promise<UserRow[]> =>
  sql.query<UserRow>(
    `WITH RECURSIVE chain AS (
       SELECT u.*, 1 AS depth, ARRAY[u.id] AS seen FROM users u WHERE u.id = $1
       UNION ALL
       SELECT m.*, c.depth + 1, c.seen || m.id FROM chain c JOIN users m ON m.id = c.manager_id
       WHERE NOT m.id = ANY (c.seen) AND c.depth < 50
     )
     SELECT ${USER} FROM chain WHERE active ORDER BY depth`,
    [userId],
  );

export interface CandidateRow extends AgentRow {
  readonly online: boolean;
  readonly open_tasks: number;
  readonly had_session: boolean;
}

/** Agents of a role with what routing weighs: load, sign of life, and whether they worked in the session before. */
export const routingCandidates = (sql: Queryable, role: Role, sessionId: string | null): Promise<CandidateRow[]> =>
  sql.query<CandidateRow>(
    `SELECT ${AGENT},
       status = 'online' AND last_seen_at > now() - interval '${String(ONLINE_SECONDS)} seconds' AS online,
       (SELECT count(*)::int FROM tasks t WHERE t.assignee_id = a.id AND t.status IN ('pending', 'active')) AS open_tasks,
       $2::text IS NOT NULL AND EXISTS (SELECT 1 FROM tasks t WHERE t.session_id = $2 AND t.assignee_id = a.id) AS had_session
     FROM agents a WHERE role = $1 AND NOT EXISTS (SELECT 1 FROM pauses p WHERE p.scope = 'agent' AND p.id = a.id)
     ORDER BY id`,
    [role, sessionId],
  );

export interface Heartbeat {
  readonly id: string;
  readonly status: AgentView['status'];
  readonly skills: readonly string[] | null;
  readonly capacity: number | null;
  readonly version: string | null;
}

/** An agent with its sign of life, and whether it was away before. */
export interface SavedHeartbeat {
  readonly agent: AgentRow;
  readonly wasAway: boolean;
  /** Whether it had never been there before. */
  readonly isFirst: boolean;
}

const HEARTBEAT = AGENT.split(', ')
  .map((column) => `a.${column}`)
  .join(', ');

/** Writes signs of life, each agent's once; those of agents that are not there are left out. */
export async function saveHeartbeats(sql: Queryable, beats: readonly Heartbeat[]): Promise<SavedHeartbeat[]> {
  const rows = await sql.query<AgentRow & { was_away: boolean; is_first: boolean }>(
    `WITH said AS (
       SELECT * FROM jsonb_to_recordset($1) AS b(id text, status text, skills text[], capacity integer, version text)
     ), before AS (
       SELECT id, NOT (status = 'online' AND coalesce(last_seen_at > now() - interval '${String(ONLINE_SECONDS)} seconds', false)) AS away,
         last_seen_at IS NULL AS first
       FROM agents WHERE id IN (SELECT id FROM said) ORDER BY id FOR UPDATE
     )
     UPDATE agents a SET status = CASE WHEN a.drained AND said.status = 'online' THEN 'draining' ELSE said.status END,
       last_seen_at = now(), skills = coalesce(said.skills, a.skills), capacity = coalesce(said.capacity, a.capacity),
       version = coalesce(said.version, a.version)
     FROM before JOIN said USING (id) WHERE a.id = before.id
     RETURNING ${HEARTBEAT}, before.away AS was_away, before.first AS is_first`,
    [JSON.stringify(beats)],
  );
  return rows.map(({ was_away, is_first, ...agent }) => ({ agent, wasAway: was_away, isFirst: is_first }));
}
