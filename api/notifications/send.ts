import type { z } from 'zod';

import { actorTag, tagOf } from '../../contracts/actor.ts';
import type { MaskCounts } from '../../contracts/content.ts';
import type { Json } from '../../contracts/json.ts';
import { levelOf } from '../../contracts/notifications.ts';
import type { notify } from '../../contracts/notifications.ts';
import { ROLES } from '../../contracts/principal.ts';
import type { EntityType } from '../../contracts/principal.ts';
import { addNotification } from '../../db/notifications.ts';
import type { Queryable } from '../../db/pool.ts';
import { publish } from '../../db/record.ts';
import type { Call } from '../call.ts';
import type { ApiDeps } from '../deps.ts';
import { requirePermission } from '../permission.ts';
import { recordEvent } from '../record.ts';
import { readableSession, roleOf } from '../sessions/handlers.ts';
import { readableTask } from '../tasks/handlers.ts';
import { maskedSummary } from '../views.ts';
import { startDeliveries } from './deliveries.ts';

type NotifyInput = z.output<typeof notify.input>;
type Receipt = z.output<typeof notify.output>;

/** A notification as it is stored for each of its receivers. */
interface Draft {
  readonly input: NotifyInput;
  readonly tags: readonly string[];
  readonly session_id: string | null;
  readonly texts: { readonly title: string | null; readonly message: string; readonly data: Json };
  readonly found: MaskCounts;
  readonly policies: readonly string[];
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

// Every receiver has a notification of its own; their ids follow from the first, so that a repetition adds none.
const idFor = ({ id }: Call, at: number): string =>
  at === 0 ? id : `${id.slice(0, -4)}${(Number.parseInt(id.slice(-4), 16) ^ at).toString(16).padStart(4, '0')}`;

/** Stores one receiver's notification and tells the streams; answers the deliveries that follow. */
async function addFor(sql: Queryable, call: Call, draft: Draft, tag: string, id: string): Promise<string[]> {
  const { input, texts, session_id } = draft;
  const note = {
    id,
    from_id: call.principal.id,
    to_tag: tag,
    target: input.target,
    level: levelOf(input),
    ...texts,
    subject_id: input.task_id ?? session_id,
    session_id,
    ack_required: input.ack_required,
    trace_id: call.traceId,
  };
  if (!(await addNotification(sql, note))) return [];
  const { level, subject_id, trace_id } = note;
  const { title, message } = texts;
  const type = 'notification.sent';
  const data = { type, id, level, from: call.principal.id, title, message, subject_id, trace_id };
  const deliveries = await publish(sql, { topic: 'notifications', type, subject_id: id, audience: [tag], data });
  return deliveries.map((row) => row.id);
}

async function store(sql: Queryable, call: Call, draft: Draft): Promise<string[]> {
  const { input, tags, session_id, found, policies } = draft;
  const deliveries: string[] = [];
  for (const [at, tag] of tags.entries()) deliveries.push(...(await addFor(sql, call, draft, tag, idFor(call, at))));
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
  return deliveries;
}

/** What a role is cleared to see; nothing where the receiver is no role. */
async function clearanceOf(
  { profilesOf }: ApiDeps,
  { principal }: Call,
  tag: string | undefined,
): Promise<readonly EntityType[]> {
  const role = ROLES.find((one) => tag === `role:${one}`);
  return (role && (await profilesOf(principal.organisation_id)).get(role)?.privacy.clearance) ?? [];
}

/** Sends a notification: masked, stored for each receiver, on record, and pushed to their channels. */
export async function send(deps: ApiDeps, call: Call, input: NotifyInput): Promise<Receipt> {
  const { organisation_id } = call.principal;
  const policies = await requirePermission(deps, call, 'notification:send', { kind: 'organisation' });
  if (input.task_id !== undefined) await readableTask(deps, call, input.task_id);
  if (input.session_id !== undefined) await readableSession(deps, call, input.session_id);
  const { tags, session } = await receivers(deps, call, input.target);
  await deps.limits.deliver(call.principal, tags);
  const { title = null, message, data = null } = input;
  const { value, found } = await deps.guard.mask(organisation_id, { title, message, data });
  const session_id = session ?? input.session_id ?? null;
  const draft: Draft = { input, tags, session_id, texts: value as Draft['texts'], found, policies };
  const deliveries = await deps.database.transaction(organisation_id, (sql) => store(sql, call, draft));
  await startDeliveries(deps, organisation_id, deliveries);
  return {
    notification_id: call.id,
    task_id: call.id,
    status: 'sent',
    target: input.target,
    masked: maskedSummary(found, await clearanceOf(deps, call, tags[0])),
    trace_id: call.traceId,
  };
}
