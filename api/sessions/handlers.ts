import { actorOf } from '../../contracts/actor.ts';
import { ROLES } from '../../contracts/principal.ts';
import type { Role } from '../../contracts/principal.ts';
import {
  createSession,
  getSession,
  handoffSession,
  joinSession,
  listSessions,
  SESSION_WORKFLOW,
  sessionChangeUpdate,
  sessionOpenedUpdate,
  sessionWorkflowId,
  updateSession,
} from '../../contracts/sessions.ts';
import type {
  SessionChange,
  SessionStart,
  SessionState,
  SessionView,
  SessionWorkflow,
} from '../../contracts/sessions.ts';
import type { z } from 'zod';
import { durationSeconds } from '../../contracts/time.ts';
import { findAgent, findUser } from '../../db/directory.ts';
import { countSessions, findSession, listSessions as querySessions } from '../../db/sessions.ts';
import type { SessionRow } from '../../db/sessions.ts';
import { principalTags } from '../../policy/tags.ts';
import type { Call } from '../call.ts';
import { withContent, withOptionalContent } from '../content.ts';
import type { ApiDeps } from '../deps.ts';
import { mount } from '../http.ts';
import type { Mounting } from '../http.ts';
import { decisionOn, requirePermission } from '../permission.ts';
import { ApiError, notFound } from '../problem.ts';
import { afterOf, pageOf } from '../views.ts';
import { ask, startWithContent } from '../workflows.ts';
import type { Start } from '../workflows.ts';
import { sessionResource, sessionView } from './view.ts';

/** A session that the caller may read; whoever may not is told that it does not exist. */
export async function readableSession(
  { database }: ApiDeps,
  { principal }: Pick<Call, 'principal'>,
  id: string,
): Promise<SessionRow> {
  const row = await database.inOrganisation(principal.organisation_id, (sql) => findSession(sql, id));
  if (!row || !decisionOn(principal, 'session:read', sessionResource(row)).allow) throw notFound(`Session ${id}`);
  return row;
}

type Opening = z.output<typeof createSession.input>;

function startOf({ principal, id, traceId }: Call, input: Opening, content: string): SessionStart {
  const agent_role = input.agent_role ?? principal.role;
  return {
    organisation_id: principal.organisation_id,
    session_id: id,
    trace_id: traceId,
    creator: actorOf(principal),
    agent_role,
    lead: agent_role === principal.role ? principal.id : agent_role,
    participants: input.participants,
    task_id: input.task_id ?? null,
    content,
    idle_seconds: durationSeconds(input.expires_after),
    changes_per_run: 500,
  };
}

async function open(deps: ApiDeps, call: Call, input: Opening): Promise<SessionView> {
  const { principal } = call;
  const words = { title: input.title ?? null, metadata: input.metadata ?? null };
  const startWith = (content: string): Start<[SessionStart]> => {
    const start = startOf(call, input, content);
    const workflowId = sessionWorkflowId(principal.organisation_id, call.id);
    return {
      type: SESSION_WORKFLOW,
      workflowId,
      args: [start],
      kind: 'session',
      role: start.agent_role,
      session: call.id,
    };
  };
  await startWithContent<SessionWorkflow, SessionState>(deps, call, words, startWith, sessionOpenedUpdate);
  // A repetition may meet a session that has ended: its answer is the session as it is now.
  return sessionView(deps, principal, await readableSession(deps, call, call.id));
}

type Body = SessionChange extends infer C ? (C extends unknown ? Omit<C, 'actor' | 'trace_id'> : never) : never;

/** A session that has ended answers from its last state. */
async function change(deps: ApiDeps, call: Call, id: string, body: Body): Promise<SessionView> {
  const { principal } = call;
  const update = { ...body, actor: actorOf(principal), trace_id: call.traceId };
  const workflowId = sessionWorkflowId(principal.organisation_id, id);
  const state = await ask(deps, call, workflowId, sessionChangeUpdate, update);
  const after = await readableSession(deps, call, id);
  if (state) return sessionView(deps, principal, after);
  const facts = { state: after.status, allowed: [] };
  throw new ApiError({ code: 'illegal_transition', detail: `The session is ${after.status}.`, facts });
}

/** The role of a participant; refuses names that nobody has. */
export async function roleOf({ database }: ApiDeps, { principal }: Call, participant: string): Promise<Role> {
  const role = ROLES.find((one) => one === participant);
  if (role) return role;
  const found = await database.inOrganisation(principal.organisation_id, async (sql) =>
    participant.startsWith('agent_') ? findAgent(sql, participant) : findUser(sql, participant),
  );
  if (!found)
    throw new ApiError({
      code: 'unknown_target',
      detail: `${participant} is neither a role nor an agent or user of your organisation.`,
    });
  return found.role;
}

async function list(
  deps: ApiDeps,
  { principal }: Call,
  { page, page_size, cursor, status }: z.output<typeof listSessions.input>,
) {
  const tags = principal.administrator ? null : principalTags(principal);
  const after = afterOf(cursor);
  const query = { tags, status, after, offset: after === undefined ? (page - 1) * page_size : 0, limit: page_size + 1 };
  const [rows, total] = await deps.database.inOrganisation(principal.organisation_id, async (sql) => [
    await querySessions(sql, query),
    await countSessions(sql, query),
  ]);
  const { rows: shown, next } = pageOf(rows, page_size);
  const sessions: SessionView[] = [];
  for (const row of shown) sessions.push(await sessionView(deps, principal, row));
  return { sessions, total, page, page_size, next_cursor: next };
}

/** Routes of sessions. */
export function mountSessions(mounting: Mounting): void {
  const { deps } = mounting;
  mount(mounting, createSession, (input, call) => open(deps, call, input), { creates: 'session' });
  mount(mounting, listSessions, (input, call) => list(deps, call, input));
  mount(mounting, getSession, async ({ session_id }, call) =>
    sessionView(deps, call.principal, await readableSession(deps, call, session_id)),
  );

  mount(mounting, updateSession, async ({ session_id, event, reason }, call) => {
    const row = await readableSession(deps, call, session_id);
    await requirePermission(deps, call, 'session:update', sessionResource(row), row.id);
    return withOptionalContent(deps, call, reason === undefined ? undefined : { reason }, (content) =>
      change(deps, call, row.id, { type: event, content }),
    );
  });

  mount(mounting, joinSession, async ({ session_id, participant = '' }, call) => {
    const row = await readableSession(deps, call, session_id);
    const who = participant || call.principal.id;
    await roleOf(deps, call, who);
    await requirePermission(deps, call, 'session:participate', sessionResource(row), row.id);
    return change(deps, call, row.id, { type: 'join', participant: who });
  });

  mount(mounting, handoffSession, async ({ session_id, to, context = null }, call) => {
    const row = await readableSession(deps, call, session_id);
    const to_role = await roleOf(deps, call, to);
    await requirePermission(deps, call, 'session:handoff', sessionResource(row), row.id);
    return withContent(deps, call, { from: call.principal.id, context }, (content) =>
      change(deps, call, row.id, { type: 'handoff', to, to_role, content }),
    );
  });
}
