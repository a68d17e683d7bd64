import type { AuditEvent } from '../contracts/audit.ts';
import type { Queryable } from './pool.ts';

export type AuditRow = Omit<AuditEvent, 'at' | 'actor'> & {
  readonly at: Date;
  readonly actor_id: string;
  readonly position: string;
};

const COLUMNS = `id, position::text, at, actor_kind, actor_id, actor_role, on_behalf_of, action, subject_kind, subject_id, task_id,
  session_id, outcome, policies, privacy, details, source, category, trace_id`;

export interface NewAuditEvent {
  readonly at: string;
  readonly actor_kind: string;
  readonly actor_id: string;
  readonly actor_role: string | null;
  readonly on_behalf_of: string | null;
  readonly action: string;
  readonly subject_kind: string;
  readonly subject_id: string;
  readonly task_id: string | null;
  readonly session_id: string | null;
  readonly outcome: string;
  readonly policies: readonly string[];
  readonly privacy: Readonly<Record<string, number>>;
  readonly details: unknown;
  readonly source: string;
  readonly category: string;
  readonly trace_id: string;
  readonly dedupe_key: string | null;
}

/** Appends events; those whose dedupe key is known already are left out. Answers the ids of the new ones. */
export async function appendAudit(sql: Queryable, events: readonly NewAuditEvent[]): Promise<string[]> {
  const rows = await sql.query<{ id: string }>(
    `INSERT INTO audit_events (organisation_id, at, actor_kind, actor_id, actor_role, on_behalf_of, action, subject_kind,
       subject_id, task_id, session_id, outcome, policies, privacy, details, source, category, trace_id, dedupe_key)
     SELECT current_setting('app.organisation'), e.at, e.actor_kind, e.actor_id, e.actor_role, e.on_behalf_of, e.action,
       e.subject_kind, e.subject_id, e.task_id, e.session_id, e.outcome, e.policies, e.privacy, e.details, e.source,
       e.category, e.trace_id, e.dedupe_key
     FROM jsonb_to_recordset($1) AS e(at timestamptz, actor_kind text, actor_id text, actor_role text, on_behalf_of text,
       action text, subject_kind text, subject_id text, task_id text, session_id text, outcome text, policies text[],
       privacy jsonb, details jsonb, source text, category text, trace_id text, dedupe_key text)
     ON CONFLICT (organisation_id, dedupe_key) WHERE dedupe_key IS NOT NULL DO NOTHING RETURNING id`,
    [JSON.stringify(events)],
  );
  return rows.map((row) => row.id);
}

export interface AuditQuery {
  readonly subject_id?: string | undefined;
  readonly task_id?: string | undefined;
  readonly session_id?: string | undefined;
  readonly actor_id?: string | undefined;
  readonly action?: string | undefined;
  readonly trace_id?: string | undefined;
  /** Position to go on from. */
  readonly after?: string | undefined;
  readonly ascending: boolean;
  readonly limit: number;
}
const FILTERS = ['subject_id', 'task_id', 'session_id', 'actor_id', 'action', 'trace_id'] as const;

// A line is superseded when its workflow went back behind it and went on otherwise: what it tells was never answered.
const NOT_SUPERSEDED = `NOT EXISTS (SELECT 1 FROM audit_events later WHERE later.workflow_id = audit_events.workflow_id
  AND later.position > audit_events.position AND later.sequence <= audit_events.sequence)`;

/** A page of the record, without lines that were superseded. */
export function listAudit(sql: Queryable, query: AuditQuery): Promise<AuditRow[]> {
  const values: unknown[] = [];
  const bind = (value: unknown): string => `$${String(values.push(value))}`;
  const conditions = FILTERS.flatMap((column) =>
    query[column] === undefined ? [] : [`${column} = ${bind(query[column])}`],
  );
  if (query.after !== undefined)
    conditions.push(`position ${query.ascending ? '>' : '<'} ${bind(query.after)}::bigint`);
  conditions.push(NOT_SUPERSEDED);
  const where = `WHERE ${conditions.join(' AND ')}`;
  const order = query.ascending ? 'ASC' : 'DESC';
  return sql.query<AuditRow>(
    `SELECT ${COLUMNS} FROM audit_events ${where} ORDER BY audit_events.position ${order} LIMIT ${bind(query.limit)}`,
    values,
  );
}
