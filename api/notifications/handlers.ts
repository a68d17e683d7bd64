import { ackNotification, listNotifications, notify } from '../../contracts/notifications.ts';
import type { NotificationView } from '../../contracts/notifications.ts';
import type { Json } from '../../contracts/json.ts';
import type { Principal } from '../../contracts/principal.ts';
import { ackNotification as ackRow, listNotifications as queryNotifications } from '../../db/notifications.ts';
import type { NotificationRow } from '../../db/notifications.ts';
import { principalTags } from '../../policy/tags.ts';
import type { ApiDeps } from '../deps.ts';
import { mount } from '../http.ts';
import type { Mounting } from '../http.ts';
import { notFound } from '../problem.ts';
import { recordEvent } from '../record.ts';
import { afterOf, inClear, iso, isoOrNull, pageOf } from '../views.ts';
import { send } from './send.ts';

/** Tags under which notifications reach a caller. */
export const inboxTags = (principal: Principal): string[] =>
  principalTags(principal).filter((tag) => tag !== 'administrator');

/** Notifications as a reader sees them. */
export async function notificationViews(
  { guard }: ApiDeps,
  reader: Principal,
  rows: readonly NotificationRow[],
): Promise<NotificationView[]> {
  const clear = await inClear(
    guard,
    reader,
    rows.map(({ title, message, data }) => ({ title, message, data: data as Json })),
  );
  return rows.map((row, at) => {
    const texts = clear[at] ?? { title: null, message: '', data: null };
    return {
      id: row.id,
      from: row.from_id,
      to: row.target,
      level: row.level,
      priority: row.level === 'info' ? 'normal' : 'high',
      ...texts,
      subject_id: row.subject_id,
      ack_required: row.ack_required,
      acked_at: isoOrNull(row.acked_at),
      acked_by: row.acked_by,
      dedupe_id: row.id,
      trace_id: row.trace_id,
      created_at: iso(row.created_at),
    };
  });
}

/** Routes of notifications. */
export function mountNotifications(mounting: Mounting): void {
  const { deps } = mounting;
  mount(mounting, notify, (input, call) => send(deps, call, input), { creates: 'notification', waits: true });

  mount(mounting, listNotifications, async ({ limit, cursor, sort, unacked }, { principal }) => {
    const query = {
      tags: inboxTags(principal),
      unacked,
      after: afterOf(cursor),
      ascending: sort === 'created',
      limit: limit + 1,
    };
    const rows = await deps.database.inOrganisation(principal.organisation_id, (sql) => queryNotifications(sql, query));
    const page = pageOf(rows, limit);
    return { notifications: await notificationViews(deps, principal, page.rows), next_cursor: page.next };
  });

  mount(mounting, ackNotification, ({ notification_id }, call) =>
    deps.database.transaction(call.principal.organisation_id, async (sql) => {
      const row = await ackRow(sql, notification_id, inboxTags(call.principal), call.principal.id);
      if (!row) throw notFound(`Notification ${notification_id}`);
      await recordEvent(sql, call, {
        action: 'notification.acknowledged',
        kind: 'notification',
        id: row.id,
        session_id: row.session_id,
        details: {},
      });
      const [view] = await notificationViews(deps, call.principal, [row]);
      if (!view) throw notFound(`Notification ${notification_id}`);
      return view;
    }),
  );
}
