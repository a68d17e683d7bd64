import type { Projection, Recorded, Transition } from '../contracts/record.ts';
import { saveApproval } from './approvals.ts';
import { saveRecipeRun } from './recipes.ts';
import type { Database, Queryable } from './pool.ts';
import { saveSession } from './sessions.ts';
import { saveTask } from './tasks.ts';
import { takeTurn } from './writers.ts';

/**
 * Writes one transition: audit event, projection, outbox and notifications in one transaction, once. Throws
 * SupersededWriter where a newer attempt at the workflow's task has written meanwhile.
 */
export async function recordTransition(database: Database, transition: Transition): Promise<Recorded> {
  return database.transaction(transition.organisation_id, async (sql) => {
    await takeTurn(sql, transition.workflow_id, transition.attempt_at);
    if (!(await isRecorded(sql, transition))) {
      await insertAudit(sql, transition);
      if (transition.projection) await saveProjection(sql, transition, transition.projection);
      await publish(sql, outboxEvent(transition), transition);
      for (const notice of transition.notices) await notify(sql, transition, notice);
    }
    return { deliveries: await waitingDeliveries(sql, transition) };
  });
}

/**
 * Whether this is only a repetition of the workflow's last line, as when the answer to the activity was lost. Any other
 * line with a number that was used before is the workflow going back: it is written, and supersedes what it takes back.
 */
async function isRecorded(sql: Queryable, { workflow_id, sequence, change_id }: Transition): Promise<boolean> {
  const [last] = await sql.query<{ sequence: number; change_id: string }>(
    'SELECT sequence, change_id FROM audit_events WHERE workflow_id = $1 ORDER BY position DESC LIMIT 1',
    [workflow_id],
  );
  return last?.sequence === sequence && last.change_id === change_id;
}

async function insertAudit(sql: Queryable, { event, ...transition }: Transition): Promise<void> {
  await sql.query(
    `INSERT INTO audit_events (organisation_id, at, actor_kind, actor_id, actor_role, on_behalf_of, action, subject_kind,
       subject_id, task_id, session_id, outcome, policies, privacy, details, category, trace_id, workflow_id, sequence, change_id)
     VALUES (current_setting('app.organisation'), $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $7, $15, $16, $17, $18)`,
    [
      transition.at,
      event.actor.kind,
      event.actor.id,
      event.actor.role,
      event.on_behalf_of ?? event.actor.acts_for,
      event.action,
      event.subject.kind,
      event.subject.id,
      event.task_id,
      event.session_id,
      event.outcome,
      event.policies,
      event.privacy,
      { ...event.details, ...(event.actor.via && { via: event.actor.via }) },
      transition.trace_id,
      transition.workflow_id,
      transition.sequence,
      transition.change_id,
    ],
  );
}

function saveProjection(sql: Queryable, { sequence, at }: Transition, projection: Projection): Promise<unknown> {
  switch (projection.kind) {
    case 'task':
      return saveTask(sql, projection.row, sequence, at);
    case 'approval':
      return saveApproval(sql, projection.row, sequence, at);
    case 'session':
      return saveSession(sql, projection.row, sequence, at);
    case 'run':
      return saveRecipeRun(sql, projection.row, sequence, at);
  }
}

export interface OutboxEvent {
  readonly topic: string;
  readonly type: string;
  readonly subject_id: string;
  readonly audience: readonly string[];
  readonly data: Readonly<Record<string, unknown>>;
}

function outboxEvent({ event, audience, trace_id, at }: Transition): OutboxEvent {
  const { task_id, session_id, actor, action, subject } = event;
  return {
    topic: `${subject.kind}s`,
    type: action,
    subject_id: subject.id,
    // Administrators see the events of the whole organisation.
    audience: [...audience, 'administrator'],
    data: {
      type: action,
      id: subject.id,
      at,
      actor: actor.id,
      task_id,
      session_id,
      status: event.details['status'] ?? null,
      trace_id,
    },
  };
}

/** Puts an event into the outbox, and a delivery for each channel of those it is addressed to. */
export const publish = (
  sql: Queryable,
  event: OutboxEvent,
  { workflow_id = null, sequence = null }: { workflow_id?: string | null; sequence?: number | null } = {},
): Promise<{ id: string }[]> =>
  sql.query<{ id: string }>(
    `WITH told AS (
       INSERT INTO outbox (organisation_id, topic, type, subject_id, audience, data)
       VALUES (current_setting('app.organisation'), $1, $2, $3, $4, $5) RETURNING data
     )
     INSERT INTO deliveries (organisation_id, channel_id, workflow_id, sequence, event)
     SELECT c.organisation_id, c.id, $6, $7, told.data FROM channels c, told
     WHERE c.owner = ANY ($4) AND $1 = ANY (c.topics) RETURNING id`,
    [event.topic, event.type, event.subject_id, event.audience, event.data, workflow_id, sequence],
  );

async function notify(sql: Queryable, transition: Transition, notice: Transition['notices'][number]): Promise<void> {
  const { event, trace_id } = transition;
  const [row] = await sql.query<{ id: string }>(
    `INSERT INTO notifications (organisation_id, from_id, to_tag, target, level, title, message, subject_id, session_id, trace_id, dedupe_key)
     VALUES (current_setting('app.organisation'), 'switchboard', $1, $2, $3, $4, $5, $6, $7, $8, $9)
     ON CONFLICT (organisation_id, dedupe_key, to_tag) WHERE dedupe_key IS NOT NULL DO NOTHING RETURNING id`,
    [
      notice.to,
      notice.to.slice(notice.to.indexOf(':') + 1),
      notice.level,
      notice.title,
      notice.message,
      event.subject.id,
      event.session_id,
      trace_id,
      `${event.subject.id}:${transition.change_id}`,
    ],
  );
  if (!row) return;
  const data = {
    type: 'notification.sent',
    id: row.id,
    level: notice.level,
    title: notice.title,
    message: notice.message,
    subject_id: event.subject.id,
    trace_id,
  };
  await publish(
    sql,
    { topic: 'notifications', type: data.type, subject_id: row.id, audience: [notice.to], data },
    transition,
  );
}

async function waitingDeliveries(sql: Queryable, { workflow_id, sequence }: Transition): Promise<string[]> {
  const rows = await sql.query<{ id: string }>(
    "SELECT id FROM deliveries WHERE workflow_id = $1 AND sequence = $2 AND status = 'pending' ORDER BY id",
    [workflow_id, sequence],
  );
  return rows.map((row) => row.id);
}
