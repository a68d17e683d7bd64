import type { z } from 'zod';

import { WorkflowExecutionAlreadyStartedError } from '@temporalio/client';

import { heartbeat, listDirectory, whoAmI } from '../../contracts/agents.ts';
import type { AgentView } from '../../contracts/agents.ts';
import { FANOUT_WORKFLOW, fanoutWorkflowId, pauseDispatch } from '../../contracts/sessions.ts';
import type { Fanout, FanoutWorkflow } from '../../contracts/sessions.ts';
import { listAgents, listUsers, ONLINE_SECONDS } from '../../db/directory.ts';
import type { AgentRow } from '../../db/directory.ts';
import { addPause, removePause } from '../../db/pauses.ts';
import type { Call } from '../call.ts';
import type { ApiDeps } from '../deps.ts';
import { mount } from '../http.ts';
import type { Mounting } from '../http.ts';
import { requirePermission } from '../permission.ts';
import { announceAssigned } from '../profiles/published.ts';
import { ApiError } from '../problem.ts';
import { recordEvent } from '../record.ts';
import { roleOf } from '../sessions/handlers.ts';
import { isoOrNull } from '../views.ts';
import { Heartbeats } from './heartbeats.ts';
import { offerQueue } from './offer-queue.ts';
import { ANSWER_WITHIN_MS } from '../workflows.ts';

/** A thousand agents that beat need not be looked up each time; changes are told at once all the same. */
const BEATING_FOR_MS = 300_000;

function agentView(row: AgentRow): AgentView {
  const { id, name, role, acts_for, skills, capacity, version, last_seen_at } = row;
  const seen = last_seen_at !== null && Date.now() - last_seen_at.getTime() < ONLINE_SECONDS * 1000;
  return {
    id,
    name,
    role,
    acts_for,
    skills,
    capacity,
    version,
    status: seen ? row.status : 'offline',
    last_seen_at: isoOrNull(last_seen_at),
  };
}

async function pause(deps: ApiDeps, call: Call, scope: 'agent' | 'role' | 'organisation', id: string, paused: boolean) {
  const { organisation_id } = call.principal;
  await requirePermission(deps, call, 'dispatch:pause', { kind: 'organisation' });
  if (scope === 'organisation' && id !== 'all')
    throw new ApiError({ code: 'not_found', detail: `There is no ${id} to pause: say 'all' for the organisation.` });
  if (scope !== 'organisation') await roleOf(deps, call, id);
  await deps.database.transaction(organisation_id, async (sql) => {
    await (paused ? addPause : removePause)(sql, scope, id);
    await recordEvent(sql, call, {
      action: paused ? 'dispatch.paused' : 'dispatch.resumed',
      kind: scope,
      id,
      details: { scope, id },
    });
  });
  const fanout: Fanout = { organisation_id, scope, id, message: paused ? 'pause' : 'resume' };
  return { scope, id, paused, tasks_reached: await fanOut(deps, call, fanout) };
}

/** Tells the tasks; answers how many. A repetition waits for the workflow that the first request started. */
function fanOut({ client, taskQueue }: ApiDeps, call: Call, fanout: Fanout): Promise<number> {
  const workflowId = fanoutWorkflowId(fanout, call.id);
  return client.withDeadline(Date.now() + ANSWER_WITHIN_MS, async () => {
    try {
      const handle = await client.workflow.start<FanoutWorkflow>(FANOUT_WORKFLOW, {
        workflowId,
        taskQueue,
        args: [fanout],
      });
      return (await handle.result()).reached;
    } catch (error) {
      if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
      return (await client.workflow.getHandle<FanoutWorkflow>(workflowId).result()).reached;
    }
  });
}

/** Routes of the directory: who there is, who is there, and who is paused. */
export function mountDirectory(mounting: Mounting): void {
  const { deps } = mounting;
  const heartbeats = new Heartbeats(deps.database);
  const save = async (input: z.output<typeof heartbeat.input>, call: Call) => {
    const { principal } = call;
    if (principal.kind !== 'agent') throw new ApiError({ code: 'forbidden', detail: 'Only agents have a heartbeat.' });
    await requirePermission(deps, call, 'agent:heartbeat', { kind: 'organisation' });
    const { status, skills = null, capacity = null, version = null } = input;
    const beat = { id: principal.id, status, skills, capacity, version };
    const saved = await heartbeats.save(principal.organisation_id, beat);
    if (!saved) throw new ApiError({ code: 'forbidden', detail: 'The agent is not registered.' });
    if (saved.isFirst) await announceAssigned(deps, call);
    // One that is held back from new work is there without being offered any.
    if (saved.wasAway && saved.agent.status === 'online') await offerQueue(deps, principal);
    return agentView(saved.agent);
  };
  mount(mounting, heartbeat, save, { knownForMs: BEATING_FOR_MS });

  mount(mounting, listDirectory, async ({ role = null }, call) => {
    await requirePermission(deps, call, 'directory:read', { kind: 'organisation' });
    const [users, agents] = await deps.database.inOrganisation(call.principal.organisation_id, async (sql) => [
      await listUsers(sql, role),
      await listAgents(sql, role),
    ]);
    return {
      users: users.map(({ id, name, role: of, manager_id, department }) => ({
        id,
        name,
        role: of,
        manager_id,
        department,
      })),
      agents: agents.map(agentView),
    };
  });

  mount(mounting, whoAmI, (_, { principal }) => {
    const { id, kind, name, role, acts_for, administrator, clearance, organisation_id } = principal;
    return Promise.resolve({ id, kind, name, role, acts_for, administrator, clearance, organisation_id });
  });

  mount(mounting, pauseDispatch, ({ scope, id, paused }, call) => pause(deps, call, scope, id, paused));
}
