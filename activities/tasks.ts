import type { Actor } from '../contracts/actor.ts';
import type { Json } from '../contracts/json.ts';
import { refused } from '../contracts/parse.ts';
import type { Role } from '../contracts/principal.ts';
import type { Admission, RerouteRequest, TaskActivities, TaskStart } from '../contracts/tasks.ts';
import { openApprovals } from '../db/approvals.ts';
import { getContent } from '../db/contents.ts';
import { findAgent, listUsers, managerChainOf, routingCandidates } from '../db/directory.ts';
import { pausesFor } from '../db/pauses.ts';
import type { Queryable } from '../db/pool.ts';
import { findTask, openChildren, placeInTree } from '../db/tasks.ts';
import type { TaskRow } from '../db/tasks.ts';
import { chooseAssignee } from '../directory/routing.ts';
import { schemaFaults } from '../platform/json-schema.ts';
import type { ActivityDeps } from './deps.ts';
import { permit, toolsOf } from './principals.ts';
import { requireSession } from './sessions.ts';
import { findTarget } from './targets.ts';
import type { Target } from './targets.ts';

interface Wanted {
  readonly task_id: string;
  readonly session_id: string | null;
  readonly skills: readonly string[];
  readonly excluding: readonly string[];
  readonly avoiding?: readonly string[];
}

async function route(sql: Queryable, { role, direct }: Target, wanted: Wanted): Promise<Admission> {
  const chosen = direct ? null : await chooseFromRole(sql, role, wanted);
  const assignee = direct ?? chosen?.assignee ?? null;
  const agent_id = assignee?.kind === 'agent' ? assignee.id : null;
  const pauses = await pausesFor(sql, { session_id: wanted.session_id, role, agent_id });
  return { role, assignee, because: chosen?.because ?? 'named by the sender', pauses, policies: [] };
}

async function chooseFromRole(
  sql: Queryable,
  role: Role,
  wanted: Wanted,
): Promise<Pick<Admission, 'assignee' | 'because'>> {
  const rows = await routingCandidates(sql, role, wanted.session_id);
  const candidates = rows
    .filter((row) => !wanted.excluding.includes(row.id))
    .map((row) => ({ ...row, agent_id: row.id }));
  const others = candidates.filter((row) => wanted.avoiding?.includes(row.id) !== true);
  const best = chooseAssignee(others, { ...wanted, role });
  const { assignee, reason } =
    best.assignee === null && others.length < candidates.length
      ? chooseAssignee(candidates, { ...wanted, role })
      : best;
  return { assignee: assignee === null ? null : { kind: 'agent', id: assignee }, because: reason };
}

/** Whether somebody sent a task, works on it or was called in: itself, or as the assistant of who did. */
export function isNear(task: TaskRow, { id, acts_for }: Actor): boolean {
  const near = [task.sender_id, task.sender_acts_for, task.assignee_id, task.escalated_to].filter(
    (one) => one !== null,
  );
  return near.includes(id) || (acts_for !== null && near.includes(acts_for));
}

/** Dependents told at once to a workflow that sets no limit itself: the most signals that Temporal lets it have under way. */
const MOST_DEPENDENTS = 1_000;

const ENDED: readonly string[] = ['completed', 'cancelled'];

/** A task that is not over: nothing new is attached to what has ended. */
export function requireOpen(task: TaskRow): void {
  if (ENDED.includes(task.status))
    throw refused({
      code: 'illegal_transition',
      detail: `Task ${task.id} is ${task.status}.`,
      facts: { state: task.status, allowed: [] },
    });
}

async function checkPlace(sql: Queryable, start: TaskStart): Promise<void> {
  if (start.session_id !== null) await requireSession(sql, start.session_id, start.sender);
  if (start.parent_task_id === null) return;
  const parent = await findTask(sql, start.parent_task_id);
  if (!parent) throw refused({ code: 'not_found', detail: `Task ${start.parent_task_id} does not exist.` });
  const { sender } = start;
  if (!isNear(parent, sender))
    throw refused({ code: 'not_found', detail: `Task ${start.parent_task_id} is not one that you sent or work on.` });
  requireOpen(parent);
  await checkTree(sql, parent.id, start.tree);
}

/** Trees are bounded, since whatever ends the root has to reach every leaf. */
async function checkTree(sql: Queryable, parentId: string, most: TaskStart['tree']): Promise<void> {
  if (!most) return;
  const place = await placeInTree(sql, parentId, most);
  for (const [what, bound] of Object.entries(most) as [keyof typeof most, number][])
    if (place[what] >= bound)
      throw refused({
        code: 'tree_too_large',
        detail:
          what === 'depth'
            ? `Task ${parentId} is on level ${String(bound)}, the last that a tree of tasks may have.`
            : `Task ${parentId} has ${String(bound)} children, the most that a task may have.`,
        facts: { most: { [what]: bound } },
      });
}

/** Finds the person whose managers are concerned: the assignee, the agent's user, or the head of the role. */
async function personBehind(sql: Queryable, assignee: string | null, role: Role): Promise<string | undefined> {
  if (assignee?.startsWith('user_')) return assignee;
  const agent = assignee === null ? undefined : await findAgent(sql, assignee);
  return agent?.acts_for ?? headOf(sql, role);
}

/** The person of a role whose manager is not of that role; a role's agents answer to the head's manager. */
async function headOf(sql: Queryable, role: Role): Promise<string | undefined> {
  const people = await listUsers(sql, role);
  const ids = new Set(people.map((person) => person.id));
  return people.find((person) => person.manager_id === null || !ids.has(person.manager_id))?.id;
}

/** Admission, routing and checks of tasks. */
export const createTaskActivities = ({ database, envelope, profilesOf }: ActivityDeps): TaskActivities => ({
  async admit({ start }) {
    const allowed_tools = toolsOf(
      start.sender,
      (await profilesOf(start.organisation_id)).get(start.sender.profile ?? start.sender_role),
    );
    return database.inOrganisation(start.organisation_id, async (sql) => {
      const target = await findTarget(sql, start.target);
      const policies = permit(start.organisation_id, { actor: start.sender, role: start.sender_role }, 'task:send', {
        kind: 'task',
        target_role: target.role,
        ...(allowed_tools && { allowed_tools }),
      });
      await checkPlace(sql, start);
      return { ...(await route(sql, target, { ...start, excluding: [] })), policies };
    });
  },

  reroute: (request: RerouteRequest) =>
    database.inOrganisation(request.organisation_id, async (sql) =>
      route(sql, await findTarget(sql, request.target), request),
    ),

  async checkResult({ organisation_id, task, result }) {
    const [asked, given] = await database.inOrganisation(organisation_id, async (sql) => [
      await getContent(sql, task),
      await getContent(sql, result),
    ]);
    const schema = (asked?.masked as { output_schema?: Json } | undefined)?.output_schema;
    const content = given?.sealed ? envelope.open(organisation_id, result, given.sealed) : given?.masked;
    const faults = schemaFaults(schema, (content as { result?: Json } | undefined)?.result);
    if (faults !== undefined) throw refused({ code: 'output_mismatch', detail: faults });
  },

  managerAbove: ({ organisation_id, assignee, role, above }) =>
    database.inOrganisation(organisation_id, async (sql) => {
      const person = above ?? (await personBehind(sql, assignee, role));
      const chain = person === undefined ? [] : await managerChainOf(sql, person);
      return chain[1]?.id ?? null;
    }),

  openDependents: ({ organisation_id, task_id, after = { task: null, approval: null }, limit = MOST_DEPENDENTS }) =>
    database.inOrganisation(organisation_id, async (sql) => ({
      tasks: await openChildren(sql, task_id, { after: after.task, limit }),
      approvals: await openApprovals(sql, task_id, { after: after.approval, limit }),
    })),
});
