import type { Queryable } from './pool.ts';

/** Makes the tags of those concerned exactly these; lists of approvals and sessions go by them. */
export async function setAccess(
  sql: Queryable,
  kind: string,
  subjectId: string,
  tags: readonly string[],
): Promise<void> {
  await sql.query('DELETE FROM subject_access WHERE subject_id = $1 AND NOT tag = ANY ($2)', [subjectId, tags]);
  await sql.query(
    `INSERT INTO subject_access (organisation_id, kind, tag, subject_id)
     SELECT current_setting('app.organisation'), $1, tag, $2 FROM unnest($3::text[]) AS tag ON CONFLICT DO NOTHING`,
    [kind, subjectId, [...new Set(tags)]],
  );
}
