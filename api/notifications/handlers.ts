import type { z } from 'zod';

import { actorTag, tagOf } from '../../contracts/actor.ts';
import { ackNotification, levelOf, listNotifications, notify } from '../../contracts/notifications.ts';
import type { NotificationView } from '../../contracts/notifications.ts';
import type { Json } from '../../contracts/json.ts';
import type { Principal } from '../../contracts/principal.ts';
import {
  ackNotification as ackRow,
  addNotification,
  listNotifications as queryNotifications,
} from '../../db/notifications.ts';
import type { NotificationRow } from '../../db/notifications.ts';
import { publish } from '../../db/record.ts';
import { principalTags } from '../../policy/tags.ts';
import type { Call } from '../call.ts';
import type { ApiDeps } from '../deps.ts';
import { mount } from '../http.ts';
import type { Mounting } from '../http.ts';
import { requirePermission } from '../permission.ts';
import { notFound } from '../problem.ts';
import { recordEvent } from '../record.ts';
import { readableSession, roleOf } from '../sessions/handlers.ts';
import { readableTask } from '../tasks/handlers.ts';
import { afterOf, inClear, iso, isoOrNull, maskedSummary, pageOf } from '../views.ts';
import { startDeliveries } from './deliveries.ts';

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

/** To whom a target's notification goes: one tag, or each participant of a session. */
async function receivers(
  deps: ApiDeps,
  call: Call,
  target: string,
): Promise<{ readonly tags: string[]; readonly session: string | null }> {
  if (target.startsWith('sess_')) {
    const session = await readableSession(deps, call, target);
    const self = actorTag(call.principal);
    return { tags: session.participants.map(tagOf).filter((tag) => tag !== self), session: session.id };
  }
  await roleOf(deps, call, target);
  return { tags: [tagOf(target)], session: null };
}

type NotifyInput = z.output<typeof notify.input>;

async function send(deps: ApiDeps, call: Call, input: NotifyInput) {
  const { principal, traceId } = call;
  const { organisation_id } = principal;
  const policies = await requirePermission(deps, call, 'notification:send', { kind: 'organisation' });
  if (input.task_id !== undefined) await readableTask(deps, call, input.task_id);
  if (input.session_id !== undefined) await readableSession(deps, call, input.session_id);
  const { tags, session } = await receivers(deps, call, input.target);
  const { title = null, message, data = null } = input;
  const { value, found } = await deps.guard.mask(organisation_id, { title, message, data });
  const texts = value as { title: string | null; message: string; data: Json };
  const [first = ''] = tags;
  const session_id = session ?? input.session_id ?? null;
  const deliveries = await deps.database.transaction(organisation_id, async (sql) => {
    const started: string[] = [];
    for (const [at, tag] of tags.entries()) {
      // Every receiver has a notification of its own; their ids follow from the first, so that a repetition adds none.
      const id =
        at === 0
          ? call.id
          : `${call.id.slice(0, -4)}${(Number.parseInt(call.id.slice(-4), 16) ^ at).toString(16).padStart(4, '0')}`;
      const note = {
        id,
        from_id: principal.id,
        to_tag: tag,
        target: input.target,
        level: levelOf(input),
        ...texts,
        subject_id: input.task_id ?? session_id,
        session_id,
        ack_required: input.ack_required,
        trace_id: traceId,
      };
      if (!(await addNotification(sql, note))) continue;
      const event = {
        type: 'notification.sent',
        id,
        level: note.level,
        from: principal.id,
        title: texts.title,
        message: texts.message,
        subject_id: note.subject_id,
        trace_id: traceId,
      };
      started.push(
        ...(
          await publish(sql, { topic: 'notifications', type: event.type, subject_id: id, audience: [tag], data: event })
        ).map((row) => row.id),
      );
    }
    await recordEvent(sql, call, {
      action: 'notification.sent',
      kind: 'notification',
      id: call.id,
      task_id: input.task_id ?? null,
      session_id,
      policies,
      privacy: found,
      details: { target: input.target, level: levelOf(input), receivers: tags.length },
    });
    return started;
  });
  await startDeliveries(deps, organisation_id, deliveries);
  const receiver = first.startsWith('role:')
    ? (deps.profiles.get(first.slice(5) as Principal['role'])?.privacy.clearance ?? [])
    : [];
  return {
    notification_id: call.id,
    task_id: call.id,
    status: 'sent' as const,
    target: input.target,
    masked: maskedSummary(found, receiver),
    trace_id: traceId,
  };
}

/** Routes of notifications. */
export function mountNotifications(mounting: Mounting): void {
  const { deps } = mounting;
  mount(mounting, notify, (input, call) => send(deps, call, input), { creates: 'notification' });

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
