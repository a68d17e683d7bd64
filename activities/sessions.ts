import type { Actor } from '../contracts/actor.ts';
import { refused } from '../contracts/parse.ts';
import type { SessionActivities } from '../contracts/sessions.ts';
import type { Queryable } from '../db/pool.ts';
import { findSession, lastActivity } from '../db/sessions.ts';
import type { SessionRow } from '../db/sessions.ts';
import { findTask, openTaskIds } from '../db/tasks.ts';
import type { ActivityDeps } from './deps.ts';
import { permit, toolsOf } from './principals.ts';
import { findTarget } from './targets.ts';

const ENDED = ['completed', 'failed', 'cancelled', 'expired'];

/** A session that the actor takes part in and that has not ended. Refuses with not_found or illegal_transition. */
export async function requireSession(sql: Queryable, sessionId: string, actor: Actor): Promise<SessionRow> {
  const session = await findSession(sql, sessionId);
  const names = [actor.id, actor.acts_for, actor.role];
  const takesPart =
    session !== undefined &&
    (actor.administrator || names.some((name) => name !== null && session.participants.includes(name)));
  if (!takesPart)
    throw refused({ code: 'not_found', detail: `Session ${sessionId} is not one that you take part in.` });
  if (ENDED.includes(session.status))
    throw refused({
      code: 'illegal_transition',
      detail: `Session ${sessionId} is ${session.status}.`,
      facts: { state: session.status, allowed: [] },
    });
  return session;
}

/** Admission of sessions, and what their workflows ask of the database. */
export const createSessionActivities = ({ database, profilesOf }: ActivityDeps): SessionActivities => ({
  async admitSession(start) {
    const role = start.creator.role ?? start.agent_role;
    const allowed_tools = toolsOf(
      start.creator,
      (await profilesOf(start.organisation_id)).get(start.creator.profile ?? role),
    );
    return database.inOrganisation(start.organisation_id, async (sql) => {
      const policies = permit(start.organisation_id, { actor: start.creator, role }, 'session:create', {
        kind: 'session',
        ...(allowed_tools && { allowed_tools }),
      });
      for (const participant of new Set([start.lead, ...start.participants])) await findTarget(sql, participant);
      if (start.task_id !== null && !(await findTask(sql, start.task_id)))
        throw refused({ code: 'not_found', detail: `Task ${start.task_id} does not exist.` });
      return { policies };
    });
  },

  openTasks: ({ organisation_id, scope, id, after }) =>
    database.inOrganisation(organisation_id, (sql) => openTaskIds(sql, scope, id, after)),

  lastActivity: ({ organisation_id, session_id }) =>
    database.inOrganisation(organisation_id, async (sql) => (await lastActivity(sql, session_id))?.getTime() ?? 0),
});
