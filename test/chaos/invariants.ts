import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';

import pg from 'pg';

import { approvalWorkflowId } from '../../contracts/approvals.ts';
import { taskWorkflowId } from '../../contracts/tasks.ts';
import { environmentOf, foreignEnvironment } from '../../platform/environment.ts';
import type { Inspector } from '../../temporal/inspect.ts';
import type { Listener } from './listener.ts';
import type { Stage } from './stage.ts';
import type { Flow } from './work.ts';

/** What was found wrong, in words; nothing where an invariant holds. */
export type Breaches = Readonly<Record<string, readonly string[]>>;

interface Look {
  readonly stage: Stage;
  readonly flows: readonly Flow[];
  readonly sql: <R extends pg.QueryResultRow>(text: string, values?: readonly unknown[]) => Promise<R[]>;
}

interface Row {
  readonly id: string;
  readonly status: string;
}

/** Looks at everything that must be so, whatever went wrong on the way. */
export async function breachesOf(
  stage: Stage,
  flows: readonly Flow[],
  { inspector, listeners }: { readonly inspector: Inspector; readonly listeners: readonly Listener[] },
): Promise<Breaches> {
  const client = new pg.Client({ connectionString: stage.stack.config.databaseOwnerUrl });
  await client.connect();
  const sql: Look['sql'] = async (text, values = []) => (await client.query(text, [...values])).rows as never;
  const look: Look = { stage, flows, sql };
  try {
    return {
      'each task is done exactly once': await tasksDoneOnce(look),
      'no approval is lost, counted twice or applied to another action': await approvalsOnce(look),
      'every projection equals its workflow': await projectionsTrue(look, inspector),
      'no notification is lost or doubled': await notificationsOnce(look),
      'the record verifies': await recordVerifies(stage),
      'every event of the stream was heard': eventsHeard(flows, listeners),
      'clients were told what is so': told(flows),
    };
  } finally {
    await client.end();
  }
}

const VALID = `NOT EXISTS (SELECT 1 FROM audit_events later WHERE later.workflow_id = e.workflow_id
  AND later.position > e.position AND later.sequence <= e.sequence)`;

/** How often an action is on the record for a subject, without lines that were superseded. */
async function counts({ sql }: Look, kind: string): Promise<Map<string, Record<string, number>>> {
  const rows = await sql<{ subject_id: string; action: string; count: string }>(
    `SELECT subject_id, action, count(*) FROM audit_events e
     WHERE subject_kind = $1 AND outcome <> 'denied' AND ${VALID} GROUP BY 1, 2`,
    [kind],
  );
  const found = new Map<string, Record<string, number>>();
  for (const { subject_id, action, count } of rows)
    found.set(subject_id, { ...found.get(subject_id), [action]: Number(count) });
  return found;
}

const compare = (what: string, is: unknown, shall: unknown): string[] =>
  JSON.stringify(is) === JSON.stringify(shall) ? [] : [`${what}: ${JSON.stringify(is)}, not ${JSON.stringify(shall)}`];

const sorted = (record: Readonly<Record<string, number>> | undefined): object =>
  Object.fromEntries(Object.entries(record ?? {}).sort(([a], [b]) => a.localeCompare(b)));

async function tasksDoneOnce(look: Look): Promise<string[]> {
  const rows = await look.sql<Row>('SELECT id, status FROM tasks');
  const states = new Map(rows.map(({ id, status }) => [id, status]));
  const events = await counts(look, 'task');
  return [
    ...compare('number of tasks', rows.length, look.flows.length),
    ...look.flows.flatMap(({ n, taskId, rejects }) => {
      const end = rejects ? 'failed' : 'completed';
      return [
        ...compare(`task ${String(n)}`, states.get(taskId), end),
        ...compare(
          `record of task ${String(n)} ${taskId}`,
          sorted(events.get(taskId)),
          sorted({ 'task.sent': 1, 'task.claimed': 1, [`task.${end}`]: 1 }),
        ),
      ];
    }),
  ];
}

async function approvalsOnce(look: Look): Promise<string[]> {
  const rows = await look.sql<Row & { votes: unknown[]; redeemed_at: Date | null; task_id: string; amount: string }>(
    `SELECT a.id, a.status, a.votes, a.redeemed_at, a.task_id, c.masked #>> '{action,arguments,amount}' AS amount
     FROM approvals a JOIN contents c ON c.organisation_id = a.organisation_id AND c.id = a.content`,
  );
  const byId = new Map(rows.map((row) => [row.id, row]));
  const events = await counts(look, 'approval');
  return [
    ...compare('number of approvals', rows.length, look.flows.length),
    ...look.flows.flatMap((flow) => {
      const row = byId.get(flow.approvalId);
      const what = `approval ${String(flow.n)} ${flow.approvalId}`;
      const is = [row?.status, row?.votes.length, row?.redeemed_at != null, row?.task_id, row?.amount];
      const shall = [flow.rejects ? 'rejected' : 'approved', 1, !flow.rejects, flow.taskId, String(flow.amount)];
      const recorded = {
        'approval.requested': 1,
        'approval.decided': 1,
        ...(!flow.rejects && { 'approval.redeemed': 1 }),
      };
      return [
        ...compare(what, is, shall),
        ...compare(`record of ${what}`, sorted(events.get(flow.approvalId)), sorted(recorded)),
      ];
    }),
  ];
}

/** The state that a workflow tells is the row that lists show. */
async function projectionsTrue({ stage, flows, sql }: Look, inspector: Inspector): Promise<string[]> {
  const { organisation_id } = stage.keys;
  const tasks = await sql<Row>('SELECT id, status, assignee_id, attempts, paused FROM tasks');
  const approvals = await sql<Row>(
    'SELECT id, status, escalations, redeemed_at IS NOT NULL AS redeemed, waiting_for FROM approvals',
  );
  const rows = new Map([...tasks, ...approvals].map((row) => [row.id, row]));
  const found: string[] = [];
  for (const { n, taskId, approvalId } of flows) {
    const task = (await inspector.look(taskWorkflowId(organisation_id, taskId))).state as Record<string, unknown>;
    const { status, assignee, attempts, paused } = task;
    found.push(
      ...compare(
        `task ${String(n)}`,
        { id: taskId, status, assignee_id: assignee, attempts, paused },
        rows.get(taskId),
      ),
    );
    const approval = (await inspector.look(approvalWorkflowId(organisation_id, approvalId))).state as Record<
      string,
      unknown
    >;
    const { escalations, redeemed_at, waiting_for } = approval;
    const state = {
      id: approvalId,
      status: approval['status'],
      escalations,
      redeemed: redeemed_at !== null,
      waiting_for,
    };
    found.push(...compare(`approval ${String(n)}`, state, rows.get(approvalId)));
  }
  return found;
}

async function notificationsOnce({ flows, sql }: Look): Promise<string[]> {
  const rows = await sql<{ id: string; message: string }>(
    `SELECT id, message FROM notifications WHERE message LIKE 'Payment %'`,
  );
  const doubled = await sql<{ count: string }>(
    `SELECT count(*) FROM (SELECT subject_id, title, to_tag FROM notifications WHERE subject_id LIKE 'task_%' AND from_id = 'switchboard'
     GROUP BY subject_id, title, to_tag, message HAVING count(*) > 1) AS again`,
  );
  const ids = new Set(rows.map(({ id }) => id));
  return [
    ...compare('number of notifications', rows.length, flows.length),
    ...compare('notices that came twice', Number(doubled[0]?.count), 0),
    ...flows.flatMap(({ n, notificationId }) =>
      ids.has(notificationId) ? [] : [`notification ${String(n)} ${notificationId} is not there`],
    ),
  ];
}

/** As an auditor does it, with the command. */
async function recordVerifies({ stack: { config } }: Stage): Promise<string[]> {
  const env = { ...environmentOf(config), SWITCHBOARD_DATABASE_URL: config.databaseUrl };
  const program = path.resolve(import.meta.dirname, '../../cli/audit/main.ts');
  const run = promisify(execFile)(process.execPath, [program, 'verify'], { env: { ...foreignEnvironment(), ...env } });
  return run.then(
    ({ stdout }) => (/: holds$/m.test(stdout) ? [] : [stdout]),
    (error: unknown) => String((error as { stdout?: string }).stdout ?? error).split('\n'),
  );
}

function eventsHeard(flows: readonly Flow[], listeners: readonly Listener[]): string[] {
  const heard = listeners.flatMap((listener) => listener.heard);
  const all = new Set(heard.map(({ type, subject }) => `${type} ${subject}`));
  const missing = (flow: Flow): string[] =>
    [
      `task.sent ${flow.taskId}`,
      `task.${flow.rejects ? 'failed' : 'completed'} ${flow.taskId}`,
      `approval.decided ${flow.approvalId}`,
      `notification.sent ${flow.notificationId}`,
    ].filter((event) => !all.has(event));
  return flows.flatMap(missing);
}

/** What was answered while everything broke is still what happened. */
const told = (flows: readonly Flow[]): string[] =>
  flows.flatMap((flow) =>
    compare(
      `flow ${String(flow.n)}`,
      flow.told,
      flow.rejects
        ? { decision: 'rejected', 'rejected action': '409', end: 'failed' }
        : { decision: 'approved', 'other action': '422', end: 'completed' },
    ),
  );
