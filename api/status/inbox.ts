import type { Principal } from '../../contracts/principal.ts';
import { readInbox } from '../../contracts/status.ts';
import type { InboxView } from '../../contracts/status.ts';
import { approvalsWaitingFor } from '../../db/approvals.ts';
import { listNotifications } from '../../db/notifications.ts';
import { formatCursor, parseCursor } from '../../db/outbox.ts';
import type { OutboxRow } from '../../db/outbox.ts';
import { listTasks } from '../../db/tasks.ts';
import { approvalViews } from '../approvals/view.ts';
import { decidesFor } from '../approvals/decide.ts';
import type { Call } from '../call.ts';
import type { ApiDeps } from '../deps.ts';
import { mount } from '../http.ts';
import type { Mounting } from '../http.ts';
import { inboxTags, notificationViews } from '../notifications/handlers.ts';
import { ApiError } from '../problem.ts';
import { concerns } from '../stream/stream.ts';
import { workScopes } from '../tasks/scopes.ts';
import { taskViews } from '../tasks/view.ts';
import { listenForNews } from './news.ts';

const MOST = 50;

type Contents = Omit<InboxView, 'cursor'>;

async function contentsOf(deps: ApiDeps, call: Call): Promise<Contents> {
  const { principal } = call;
  const users = await decidesFor(deps, call);
  const [tasks, approvals, unacked, newest] = await deps.database.inOrganisation(
    principal.organisation_id,
    async (sql) => [
      await listTasks(sql, {
        scopes: workScopes(principal),
        statuses: ['pending', 'active'],
        dispatchable: true,
        ascending: true,
        limit: MOST,
      }),
      await approvalsWaitingFor(sql, users, null, MOST),
      await listNotifications(sql, { tags: inboxTags(principal), unacked: true, ascending: false, limit: MOST }),
      await listNotifications(sql, { tags: inboxTags(principal), unacked: false, ascending: false, limit: MOST }),
    ],
  );
  const notes = [...unacked, ...newest.filter((row) => !unacked.some((one) => one.id === row.id))].slice(0, MOST);
  const views = await taskViews(deps, principal, tasks);
  return {
    tasks: views.sort((a, b) => a.priority - b.priority || a.created_at.localeCompare(b.created_at)),
    approvals: await approvalViews(deps, principal, approvals),
    notifications: await notificationViews(deps, principal, notes),
  };
}

const isEmpty = ({ tasks, approvals, notifications }: Contents): boolean =>
  tasks.length + approvals.length + notifications.length === 0;

// Administrators are told of everything on /stream; their inbox is for what concerns them as people.
const isNews = (principal: Principal, row: OutboxRow): boolean => concerns({ ...principal, administrator: false }, row);

/** Route of the inbox: what waits for the caller, with a long poll. */
export function mountInbox(mounting: Mounting): void {
  const { deps } = mounting;
  mount(mounting, readInbox, async ({ wait, after }, call) => {
    const cursor = after === undefined ? undefined : parseCursor(after);
    if (after !== undefined && !cursor)
      throw new ApiError({ code: 'invalid_input', detail: 'after: must be the cursor of an earlier answer.' });
    const { from, stop } = await deps.feed.subscribe(call.principal.organisation_id, () => undefined);
    stop();
    const milliseconds = Number(wait.slice(0, -1)) * 1000;
    const present = await contentsOf(deps, call);
    const newsWanted = cursor !== undefined || isEmpty(present);
    if (milliseconds === 0 || !newsWanted) return { ...present, cursor: formatCursor(from) };
    const isNewsToCaller = (row: OutboxRow): boolean => isNews(call.principal, row);
    const news = await listenForNews(deps, call, isNewsToCaller, { milliseconds, after: cursor ?? from });
    await news.happened.finally(() => news.stop());
    const { from: end, stop: leave } = await deps.feed.subscribe(call.principal.organisation_id, () => undefined);
    leave();
    return { ...(await contentsOf(deps, call)), cursor: formatCursor(end) };
  });
}
