import type { Actor } from '../../contracts/actor.ts';
import { endAccess } from '../end-access.ts';
import type { Queryable } from '../pool.ts';
import { PERSON_FIELDS } from './stage.ts';

/** Who changes the directory, by which way, and in which trace. */
export interface ChangedBy {
  readonly actor: Actor;
  readonly trace_id: string;
  readonly source: 'csv' | 'scim' | 'manual';
  readonly import_id: string | null;
}

const typeOf = (field: string): string =>
  ['active', 'enabled', 'awaits_role', 'deprovisioned', 'administrator'].includes(field) ? '::boolean' : '';
const value = (field: string): string => `(d.after ->> '${field}')${typeOf(field)}`;
const SET = PERSON_FIELDS.map((field) => `${field} = ${value(field)}`).join(', ');

/** More people than this at once are told one by one, and administrators only of the sum. */
const MANY = 100;

/** Writes the people of the diff. Addresses change hands in between, so those that change are set aside first. */
async function writePeople(sql: Queryable, source: string): Promise<void> {
  await sql.query(
    `UPDATE users u SET active = false FROM directory_diff d WHERE d.user_id = u.id AND u.active AND NOT ${value('active')}`,
  );
  await sql.query(
    `UPDATE users u SET email = u.id FROM directory_diff d WHERE d.user_id = u.id AND u.active AND u.email <> d.after ->> 'email'`,
  );
  await sql.query(
    `INSERT INTO users (organisation_id, id, source, ${PERSON_FIELDS.join(', ')})
     SELECT current_setting('app.organisation'), d.user_id, $1, ${PERSON_FIELDS.map(value).join(', ')}
     FROM directory_diff d WHERE d.kind = 'added'`,
    [source],
  );
  await sql.query(
    `UPDATE users u SET ${SET}, source = $1, version = u.version + 1, updated_at = now(),
       deactivated_at = CASE WHEN ${value('active')} THEN NULL ELSE coalesce(u.deactivated_at, now()) END
     FROM directory_diff d WHERE d.user_id = u.id AND d.kind <> 'added'`,
    [source],
  );
}

const idsOf = async (sql: Queryable, where: string): Promise<string[]> =>
  (await sql.query<{ user_id: string }>(`SELECT user_id FROM directory_diff d WHERE ${where}`)).map(
    ({ user_id }) => user_id,
  );

const RE_ROLED = `d.kind = 'changed' AND (d.before ->> 'active')::boolean AND d.before ->> 'role' <> d.after ->> 'role'`;

/** Ends the access of those who leave or change roles, and notes that their open work has to move. */
async function moveOn(sql: Queryable, traceId: string): Promise<number> {
  await sql.query(
    `UPDATE agents a SET role = d.after ->> 'role' FROM directory_diff d
     WHERE a.acts_for = d.user_id AND a.role = d.before ->> 'role' AND ${RE_ROLED}`,
  );
  await endAccess(sql, await idsOf(sql, "d.kind = 'deactivated'"), 'left');
  await endAccess(sql, await idsOf(sql, RE_ROLED), 'role_changed');
  const moves = await sql.query(
    `INSERT INTO directory_moves (organisation_id, subject_id, reason, trace_id)
     SELECT current_setting('app.organisation'), d.user_id, CASE d.kind WHEN 'deactivated' THEN 'left' ELSE 'role_changed' END, $1
     FROM directory_diff d WHERE d.kind = 'deactivated' OR (${RE_ROLED}) RETURNING 1`,
    [traceId],
  );
  return moves.length;
}

const FIELDS = `ARRAY(SELECT key FROM jsonb_each(d.after) AS a WHERE a.value IS DISTINCT FROM coalesce(d.before -> a.key, 'null') ORDER BY key)`;

/** One line of the record for each person: ids, and the names of the fields, never what is in them. */
const auditPeople = (sql: Queryable, { actor, trace_id, source, import_id }: ChangedBy): Promise<object[]> =>
  sql.query(
    `INSERT INTO audit_events (organisation_id, at, actor_kind, actor_id, actor_role, on_behalf_of, action, subject_kind,
       subject_id, outcome, details, category, trace_id)
     SELECT current_setting('app.organisation'), now(), $1, $2, $3, $4,
       CASE d.kind WHEN 'changed' THEN 'directory.user_changed' ELSE 'directory.user_' || d.kind END, 'user', d.user_id, 'ok',
       jsonb_build_object('source', $5::text, 'import_id', $6::text, 'fields', to_jsonb(${FIELDS}), 'role', d.after ->> 'role',
         'administrator', d.after -> 'administrator'), 'directory', $7
     FROM directory_diff d ORDER BY d.user_id`,
    [actor.kind, actor.id, actor.role, actor.acts_for, source, import_id, trace_id],
  );

/** Tells those whose role, profile, rights or access changed, on /stream and by channel. */
const tellPeople = (sql: Queryable, traceId: string, many: boolean): Promise<object[]> =>
  sql.query(
    `WITH told AS (
       INSERT INTO outbox (organisation_id, topic, type, subject_id, audience, data)
       SELECT current_setting('app.organisation'), 'directory', 'directory.user_changed', d.user_id,
         CASE WHEN $2 THEN ARRAY['user:' || d.user_id] ELSE ARRAY['user:' || d.user_id, 'administrator'] END,
         jsonb_build_object('type', 'directory.user_changed', 'id', d.user_id, 'change', d.kind, 'at', now(),
           'role', d.after -> 'role', 'profile', coalesce(d.after ->> 'assigned_profile', d.after ->> 'role'),
           'active', d.after -> 'active', 'fields', to_jsonb(${FIELDS}), 'trace_id', $1::text)
       FROM directory_diff d WHERE (d.kind <> 'added' OR NOT $2)
         AND (d.before IS NULL OR ARRAY(SELECT d.before -> k FROM unnest($3::text[]) AS k) IS DISTINCT FROM
           ARRAY(SELECT d.after -> k FROM unnest($3::text[]) AS k))
       RETURNING audience, data
     )
     INSERT INTO deliveries (organisation_id, channel_id, event)
     SELECT c.organisation_id, c.id, told.data FROM channels c JOIN told ON c.owner = ANY (told.audience)
     WHERE 'directory' = ANY (c.topics)`,
    [traceId, many, ['role', 'assigned_profile', 'administrator', 'active']],
  );

/** Carries the diff out; answers how many people's open work has to move. */
export async function applyDiff(sql: Queryable, by: ChangedBy, concerned: number): Promise<number> {
  if (concerned === 0) return 0;
  await writePeople(sql, by.source);
  const moves = await moveOn(sql, by.trace_id);
  await auditPeople(sql, by);
  await tellPeople(sql, by.trace_id, concerned > MANY);
  return moves;
}
