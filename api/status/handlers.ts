import { kindOfId } from '../../contracts/ids.ts';
import { fetchStatus } from '../../contracts/status.ts';
import type { StatusView } from '../../contracts/status.ts';
import type { TimelineEntry } from '../../contracts/sessions.ts';
import { listApprovals } from '../../db/approvals.ts';
import { listAudit } from '../../db/audit.ts';
import type { AuditQuery } from '../../db/audit.ts';
import { findNotification } from '../../db/notifications.ts';
import type { OutboxRow } from '../../db/outbox.ts';
import { approvalViews } from '../approvals/view.ts';
import { readableApproval } from '../approvals/handlers.ts';
import { viewOf as approvalView } from '../approvals/decide.ts';
import type { Call } from '../call.ts';
import type { ApiDeps } from '../deps.ts';
import { mount } from '../http.ts';
import type { Mounting } from '../http.ts';
import { inboxTags, notificationViews } from '../notifications/handlers.ts';
import { notFound } from '../problem.ts';
import { entryOf, mayRead } from '../sessions/timeline.ts';
import { readableSession } from '../sessions/handlers.ts';
import { sessionView } from '../sessions/view.ts';
import { readableTask } from '../tasks/handlers.ts';
import { taskViews } from '../tasks/view.ts';
import { listenForNews } from './news.ts';

const NEWEST = 100;
const EMPTY = {
  task: null,
  approval: null,
  session: null,
  notification: null,
  result: null,
  approvals: [],
  timeline: [],
};

async function timeline(
  { database }: ApiDeps,
  { principal }: Call,
  of: Pick<AuditQuery, 'task_id' | 'session_id' | 'subject_id'>,
): Promise<TimelineEntry[]> {
  const rows = await database.inOrganisation(principal.organisation_id, (sql) =>
    listAudit(sql, { ...of, ascending: false, limit: NEWEST }),
  );
  return rows
    .filter((row) => mayRead(principal, row))
    .map(entryOf)
    .reverse();
}

async function approvalsOf(deps: ApiDeps, { principal }: Call, of: { task_id?: string; session_id?: string }) {
  const query = { ...of, tags: null, ascending: true, limit: NEWEST };
  const rows = await deps.database.inOrganisation(principal.organisation_id, (sql) => listApprovals(sql, query));
  return approvalViews(deps, principal, rows);
}

async function taskStatus(deps: ApiDeps, call: Call, id: string): Promise<StatusView> {
  const row = await readableTask(deps, call, id);
  const [task] = await taskViews(deps, call.principal, [row]);
  if (!task) throw notFound(`Task ${id}`);
  const approvals = await approvalsOf(deps, call, { task_id: id });
  return {
    ...EMPTY,
    id,
    kind: 'task',
    status: task.status,
    result: task.result,
    task,
    approvals,
    timeline: await timeline(deps, call, { task_id: id }),
    trace_id: task.trace_id,
  };
}

async function approvalStatus(deps: ApiDeps, call: Call, id: string): Promise<StatusView> {
  const approval = await approvalView(deps, call, await readableApproval(deps, call, id));
  return {
    ...EMPTY,
    id,
    kind: 'approval',
    status: approval.status,
    approval,
    timeline: await timeline(deps, call, { subject_id: id }),
    trace_id: approval.trace_id,
  };
}

async function sessionStatus(deps: ApiDeps, call: Call, id: string): Promise<StatusView> {
  const session = await sessionView(deps, call.principal, await readableSession(deps, call, id));
  const approvals = await approvalsOf(deps, call, { session_id: id });
  return {
    ...EMPTY,
    id,
    kind: 'session',
    status: session.status,
    session,
    approvals,
    timeline: await timeline(deps, call, { session_id: id }),
    trace_id: session.trace_id,
  };
}

/** Whoever sent a notification, or got it, may ask what became of it. */
async function notificationStatus(deps: ApiDeps, call: Call, id: string): Promise<StatusView> {
  const { principal } = call;
  const row = await deps.database.inOrganisation(principal.organisation_id, (sql) => findNotification(sql, id));
  if (!row || (row.from_id !== principal.id && !inboxTags(principal).includes(row.to_tag)))
    throw notFound(`Notification ${id}`);
  const [notification] = await notificationViews(deps, principal, [row]);
  if (!notification) throw notFound(`Notification ${id}`);
  const status = row.acked_at ? 'acknowledged' : 'sent';
  return { ...EMPTY, id, kind: 'notification', status, notification, trace_id: row.trace_id };
}

function statusOf(deps: ApiDeps, call: Call, id: string): Promise<StatusView> {
  switch (kindOfId(id)) {
    case 'task':
      return taskStatus(deps, call, id);
    case 'approval':
      return approvalStatus(deps, call, id);
    case 'session':
      return sessionStatus(deps, call, id);
    case 'notification':
      return notificationStatus(deps, call, id);
    default:
      return Promise.reject(notFound(`Run ${id}`));
  }
}

/** States in which nothing is left to wait for, of every kind of thing. */
const ENDED = new Set([
  ...['completed', 'failed', 'declined', 'cancelled', 'expired'],
  ...['approved', 'rejected', 'withdrawn', 'acknowledged'],
]);

const isAbout = (id: string, { data }: OutboxRow): boolean =>
  data['id'] === id || data['task_id'] === id || data['session_id'] === id;

/** The state once it is another than the caller knows, something happened to it, or the time is over. */
async function changedStatus(
  deps: ApiDeps,
  call: Call,
  id: string,
  { milliseconds, known }: { readonly milliseconds: number; readonly known: string | undefined },
): Promise<StatusView> {
  // Listening starts before the state is read: what changes in between is news.
  const news = await listenForNews(deps, call, (row) => isAbout(id, row), { milliseconds });
  try {
    const present = await statusOf(deps, call, id);
    if (ENDED.has(present.status) || (known !== undefined && known !== present.status)) return present;
    await news.happened;
    return call.signal.aborted ? present : await statusOf(deps, call, id);
  } finally {
    news.stop();
  }
}

/** Route that tells the state of anything by its id. */
export function mountStatus(mounting: Mounting): void {
  const { deps } = mounting;
  mount(mounting, fetchStatus, ({ task_id: id, wait, known_status: known }, call) => {
    const milliseconds = Number(wait.slice(0, -1)) * 1000;
    return milliseconds === 0 ? statusOf(deps, call, id) : changedStatus(deps, call, id, { milliseconds, known });
  });
}
