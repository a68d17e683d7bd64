import type { Queryable } from '../pool.ts';
import { PERSON_FIELDS } from './stage.ts';

/** What happens to somebody. */
export type ChangeKind = 'added' | 'changed' | 'deactivated' | 'reactivated';

/** How many people a change concerns, and how many were active before. */
export interface ChangeCounts {
  readonly added: number;
  readonly changed: number;
  readonly deactivated: number;
  readonly reactivated: number;
  readonly unchanged: number;
  readonly active_before: number;
  readonly administrators_before: number;
  readonly administrators_after: number;
}

/** One line of a diff: the fields that change, old and new. */
export interface ChangeRow {
  readonly user_id: string;
  readonly external_id: string;
  readonly kind: ChangeKind;
  readonly before: Readonly<Record<string, unknown>> | null;
  readonly after: Readonly<Record<string, unknown>>;
}

const BEFORE = `jsonb_build_object(${PERSON_FIELDS.map((field) => `'${field}', u.${field}`).join(', ')})`;
const DEFAULTS = `jsonb_build_object(${PERSON_FIELDS.map((field) => `'${field}', NULL`).join(', ')})
  || '{"awaits_role": false, "administrator": false, "active": true, "enabled": true, "deprovisioned": false}'`;

/** Works out what the stage changes; where it is the whole organisation, who is not on it leaves. */
export async function workOutDiff(sql: Queryable, whole: boolean): Promise<void> {
  await sql.query(
    `INSERT INTO directory_diff (organisation_id, user_id, kind, before, after)
     SELECT current_setting('app.organisation'), user_id, CASE WHEN before IS NULL THEN 'added'
         WHEN (before ->> 'active')::boolean AND NOT (after ->> 'active')::boolean THEN 'deactivated'
         WHEN NOT (before ->> 'active')::boolean AND (after ->> 'active')::boolean THEN 'reactivated'
         ELSE 'changed' END, before, after
     FROM (SELECT i.user_id, CASE WHEN u.id IS NULL THEN NULL ELSE ${BEFORE} END AS before,
         CASE WHEN u.id IS NULL THEN ${DEFAULTS} ELSE ${BEFORE} END || i.person AS after
       FROM directory_incoming i LEFT JOIN users u ON u.id = i.user_id) AS pair
     WHERE before IS DISTINCT FROM after`,
  );
  if (whole)
    await sql.query(
      `INSERT INTO directory_diff (organisation_id, user_id, kind, before, after)
       SELECT current_setting('app.organisation'), u.id, CASE WHEN u.active THEN 'deactivated' ELSE 'changed' END, ${BEFORE},
         ${BEFORE} || '{"active": false, "enabled": false}'
       FROM users u WHERE (u.active OR u.enabled) AND NOT EXISTS (SELECT 1 FROM directory_incoming i WHERE i.user_id = u.id)`,
    );
}

/** Counts what was worked out. */
export async function countDiff(sql: Queryable): Promise<ChangeCounts> {
  const [row] = await sql.query<ChangeCounts>(
    `SELECT count(*) FILTER (WHERE kind = 'added')::int AS added, count(*) FILTER (WHERE kind = 'changed')::int AS changed,
       count(*) FILTER (WHERE kind = 'deactivated')::int AS deactivated,
       count(*) FILTER (WHERE kind = 'reactivated')::int AS reactivated,
       (SELECT count(*)::int FROM directory_incoming i WHERE NOT EXISTS
         (SELECT 1 FROM directory_diff d WHERE d.user_id = i.user_id)) AS unchanged,
       (SELECT count(*)::int FROM users WHERE active) AS active_before,
       (SELECT count(*)::int FROM users WHERE active AND administrator) AS administrators_before,
       (SELECT count(*)::int FROM users u LEFT JOIN directory_diff d ON d.user_id = u.id
         WHERE coalesce((d.after ->> 'active')::boolean, u.active)
           AND coalesce((d.after ->> 'administrator')::boolean, u.administrator)) AS administrators_after
     FROM directory_diff`,
  );
  if (!row) throw new Error('Counting a diff gave no row.');
  return row;
}

/** The first lines of the diff, by external id; values that stay are left out. */
export const readDiff = (sql: Queryable, limit: number): Promise<ChangeRow[]> =>
  sql.query<ChangeRow>(
    `SELECT user_id, after ->> 'external_id' AS external_id, kind,
       CASE WHEN before IS NULL THEN NULL ELSE
         (SELECT jsonb_object_agg(key, value) FROM jsonb_each(before) AS b WHERE b.value IS DISTINCT FROM after -> b.key) END AS before,
       (SELECT jsonb_object_agg(key, value) FROM jsonb_each(after) AS a
         WHERE a.value IS DISTINCT FROM coalesce(before -> a.key, 'null')) AS after
     FROM directory_diff ORDER BY kind, after ->> 'external_id' LIMIT $1`,
    [limit],
  );

/** Somebody active who has the address of somebody on the stage, if the change would leave them both with it. */
export async function addressTaken(sql: Queryable): Promise<{ readonly user_id: string } | undefined> {
  const [row] = await sql.query<{ user_id: string }>(
    `SELECT u.id AS user_id FROM directory_diff d JOIN users u ON lower(u.email) = lower(d.after ->> 'email') AND u.id <> d.user_id
     WHERE u.active AND (d.after ->> 'active')::boolean
       AND NOT EXISTS (SELECT 1 FROM directory_diff other WHERE other.user_id = u.id) LIMIT 1`,
  );
  return row;
}

/** Whether somebody who gets another manager would, over others or at once, be their own. */
export async function makesCircle(sql: Queryable): Promise<boolean> {
  const rows = await sql.query(
    `WITH RECURSIVE climb AS (
       SELECT d.user_id AS start, d.after ->> 'manager_id' AS at, 1 AS depth FROM directory_diff d
       WHERE d.after ->> 'manager_id' IS DISTINCT FROM d.before ->> 'manager_id' AND d.after ->> 'manager_id' IS NOT NULL
       UNION ALL
       SELECT c.start, u.manager_id, c.depth + 1 FROM climb c JOIN users u ON u.id = c.at
       WHERE u.manager_id IS NOT NULL AND c.at <> c.start AND c.depth < 200
     )
     SELECT 1 FROM climb WHERE at = start OR depth >= 200 LIMIT 1`,
  );
  return rows.length > 0;
}
