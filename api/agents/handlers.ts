import type { z } from 'zod';

import { drainAgent, getAgent, listRegistry, registerAgent, removeAgent, updateAgent } from '../../contracts/agents.ts';
import type { RegisteredAgent } from '../../contracts/agents.ts';
import type { Json } from '../../contracts/json.ts';
import { addAgent, changeAgent, deleteAgent, findRegistered, listRegistered, setDrained } from '../../db/agents.ts';
import type { NewAgent, RegistryRow } from '../../db/agents.ts';
import { findUser } from '../../db/directory.ts';
import { requestMove } from '../../db/people/moves.ts';
import type { Queryable } from '../../db/pool.ts';
import { setKey } from '../../db/seed.ts';
import { newApiKey } from '../../platform/api-key.ts';
import type { Call } from '../call.ts';
import type { ApiDeps } from '../deps.ts';
import { offerQueue } from '../directory/offer-queue.ts';
import { mount } from '../http.ts';
import type { Mounting } from '../http.ts';
import { moveWork } from '../people/moves.ts';
import { requirePermission } from '../permission.ts';
import { ApiError, notFound } from '../problem.ts';
import { recordEvent } from '../record.ts';
import { afterOf, iso, isoOrNull, pageOf } from '../views.ts';
import { setClient, signInOf } from './clients.ts';

const view = (row: RegistryRow): RegisteredAgent => ({
  id: row.id,
  name: row.name,
  role: row.role,
  acts_for: row.acts_for,
  skills: row.skills,
  capacity: row.capacity,
  version: row.version,
  status: row.status,
  last_seen_at: isoOrNull(row.last_seen_at),
  owner: row.owner,
  client_id: row.client_id,
  drained: row.drained,
  rollout_weight: row.rollout_weight,
  projectId: row.project_id,
  type: row.type,
  riskLevel: row.risk_level,
  entryPath: row.entry_path,
  description: row.description,
  capabilities: row.capabilities,
  registeredAt: iso(row.created_at),
  updatedAt: iso(row.updated_at),
});

const tagsOf = (...people: readonly (string | null)[]): string[] =>
  people.flatMap((person) => (person === null ? [] : [`user:${person}`]));

type Wanted = z.output<typeof registerAgent.input>;

/** The agent as it is to be. People who are no administrators register for themselves, with their own role. */
function agentOf({ principal, id }: Call, wanted: Wanted): NewAgent {
  const self = principal.kind === 'user' ? principal.id : null;
  const actsFor = wanted.acts_for ?? (principal.administrator ? null : self);
  return {
    id,
    name: wanted.name,
    role: principal.administrator ? (wanted.role ?? principal.role) : principal.role,
    acts_for: actsFor,
    owner: principal.administrator ? (wanted.owner ?? actsFor ?? self) : self,
    skills: wanted.skills ?? [],
    capacity: wanted.capacity ?? 10,
    version: wanted.version ?? '1.0.0',
    rollout_weight: wanted.rollout_weight ?? 100,
    project_id: wanted.projectId ?? null,
    type: wanted.type ?? null,
    risk_level: wanted.riskLevel ?? null,
    entry_path: wanted.entryPath ?? null,
    description: wanted.description ?? null,
    capabilities: wanted.capabilities ?? [],
  };
}

async function checkPeople(sql: Queryable, { acts_for, owner, role }: NewAgent): Promise<void> {
  for (const person of new Set([acts_for, owner].filter((one) => one !== null))) {
    const user = await findUser(sql, person);
    if (!user)
      throw new ApiError({ code: 'unknown_target', detail: `${person} is not an active user of your organisation.` });
    if (person === acts_for && user.role !== role)
      throw new ApiError({
        code: 'directory_conflict',
        detail: `${person} has the role ${user.role}; an agent acts for somebody in their own role.`,
      });
  }
}

type Registered = z.output<typeof registerAgent.output>;

async function register(deps: ApiDeps, call: Call, agent: NewAgent, clientId?: string): Promise<Registered> {
  return deps.database.transaction(call.principal.organisation_id, async (sql) => {
    await checkPeople(sql, agent);
    const row = await addAgent(sql, agent);
    if (!row) throw new ApiError({ code: 'directory_conflict', detail: `There is an agent ${agent.name} already.` });
    if (clientId !== undefined) await setClient(deps, sql, agent.id, clientId);
    const { role, acts_for, owner, version } = agent;
    const details = { role, acts_for, owner, version, client: clientId ?? null };
    await recordEvent(sql, call, { action: 'agent.registered', kind: 'agent', id: agent.id, details });
    const registered = view({ ...row, client_id: clientId ?? null });
    return { ...registered, ...(await keyFor(deps, sql, agent)), sign_in: signInOf(deps, registered) };
  });
}

/** A key, where keys count. A request that is repeated after its answer was lost gets another; the lost one ends. */
async function keyFor({ identity }: ApiDeps, sql: Queryable, { id }: NewAgent): Promise<{ key?: string }> {
  if (!identity.settings.staticKeys) return {};
  const { key, keyId, hash } = newApiKey();
  await setKey(sql, { kind: 'agent', id }, keyId, hash);
  return { key };
}

const within = <T>(deps: ApiDeps, call: Call, work: (sql: Queryable) => Promise<T>): Promise<T> =>
  deps.database.inOrganisation(call.principal.organisation_id, work);

/** An agent of the caller's organisation; any other is not there. */
async function registered(deps: ApiDeps, call: Call, id: string): Promise<RegistryRow> {
  const row = await within(deps, call, (sql) => findRegistered(sql, id));
  if (!row) throw notFound(id);
  return row;
}

/** Asks whether the caller may change an agent. */
async function managed(deps: ApiDeps, call: Call, id: string): Promise<void> {
  const { owner, acts_for } = await registered(deps, call, id);
  await requirePermission(deps, call, 'agent:manage', { kind: 'agent', owners: tagsOf(owner, acts_for) }, id);
}

/** Changes an agent that the caller may change, on the record. */
async function change(
  deps: ApiDeps,
  call: Call,
  {
    action,
    id,
    details: more,
  }: { readonly action: string; readonly id: string; readonly details?: Record<string, Json> },
  work: (sql: Queryable) => Promise<RegistryRow | undefined>,
): Promise<RegisteredAgent> {
  await managed(deps, call, id);
  return deps.database.transaction(call.principal.organisation_id, async (sql) => {
    const row = await work(sql);
    if (!row) throw notFound(id);
    const details = { version: row.version, status: row.status, ...more };
    await recordEvent(sql, call, { action, kind: 'agent', id, details });
    return view(row);
  });
}

/** Held back from new work, an agent passes on what it has not begun; let again, it is offered what waits. */
async function setDraining(deps: ApiDeps, call: Call, id: string, drain: boolean): Promise<RegisteredAgent> {
  const { organisation_id } = call.principal;
  const agent = await change(deps, call, { action: drain ? 'agent.drained' : 'agent.released', id }, async (sql) => {
    if (drain) await requestMove(sql, id, 'draining', call.traceId);
    return setDrained(sql, id, drain);
  });
  if (drain) moveWork(deps, organisation_id);
  else if (agent.status === 'online') await offerQueue(deps, { organisation_id, role: agent.role });
  return agent;
}

async function remove(deps: ApiDeps, call: Call, id: string): Promise<void> {
  const { organisation_id } = call.principal;
  await managed(deps, call, id);
  await deps.database.transaction(organisation_id, async (sql) => {
    if (!(await deleteAgent(sql, id))) throw notFound(id);
    await requestMove(sql, id, 'left', call.traceId);
    await recordEvent(sql, call, { action: 'agent.removed', kind: 'agent', id, details: {} });
  });
  moveWork(deps, organisation_id);
}

/** The registry of agents (DIR-4): who there is, what they can do, and who takes them in and out of work. */
export function mountAgents(mounting: Mounting): void {
  const { deps } = mounting;
  mount(
    mounting,
    registerAgent,
    async (wanted, call) => {
      const agent = agentOf(call, wanted);
      await requirePermission(deps, call, 'agent:register', { kind: 'agent', owners: tagsOf(agent.acts_for) });
      return register(deps, call, agent, wanted.client_id);
    },
    { creates: 'agent', waits: true },
  );
  mount(mounting, listRegistry, async ({ limit, cursor, sort, projectId, ...filter }, call) => {
    await requirePermission(deps, call, 'directory:read', { kind: 'organisation' });
    const page = { after: afterOf(cursor), ascending: sort === 'created', limit: limit + 1 };
    const rows = await within(deps, call, (sql) => listRegistered(sql, { ...filter, project_id: projectId, ...page }));
    const { rows: agents, next } = pageOf(rows, limit);
    return { agents: agents.map(view), next_cursor: next };
  });
  mount(mounting, getAgent, async ({ id }, call) => {
    await requirePermission(deps, call, 'directory:read', { kind: 'organisation' });
    return view(await registered(deps, call, id));
  });
  mount(mounting, updateAgent, async ({ id, client_id, ...wanted }, call) => {
    if (client_id === undefined)
      return change(deps, call, { action: 'agent.changed', id }, (sql) => changeAgent(sql, id, wanted));
    // Whoever is an agent's client is the agent: that takes the right to register it.
    const { acts_for } = await registered(deps, call, id);
    await requirePermission(deps, call, 'agent:register', { kind: 'agent', owners: tagsOf(acts_for) }, id);
    return change(deps, call, { action: 'agent.changed', id, details: { client: client_id } }, async (sql) => {
      await setClient(deps, sql, id, client_id);
      return changeAgent(sql, id, wanted);
    });
  });
  mount(mounting, drainAgent, ({ id, drain }, call) => setDraining(deps, call, id, drain));
  mount(mounting, removeAgent, async ({ id }, call) => {
    await remove(deps, call, id);
    return { id, removed: true };
  });
}
