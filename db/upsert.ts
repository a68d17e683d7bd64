import type { Queryable } from './pool.ts';

/** Names come from our own row types; still, nothing but a plain name may reach the statement. */
function plainName(name: string): string {
  if (!/^[a-z_]+$/.test(name)) throw new Error(`${name} is not a column name`);
  return name;
}

/**
 * Writes a projection row. The last writer is right: a workflow writes one transition after the other, and where it goes
 * back (a workflow task that is done again), the projection goes back with it.
 */
export function writeProjection(
  sql: Queryable,
  table: 'tasks' | 'approvals' | 'sessions' | 'recipe_runs',
  row: Readonly<Record<string, unknown>> & { readonly sequence: number },
): Promise<object[]> {
  const columns = Object.keys(row).map(plainName);
  const parameters = columns.map((_, index) => `$${String(index + 1)}`);
  const changes = columns.filter((column) => column !== 'id').map((column) => `${column} = EXCLUDED.${column}`);
  return sql.query(
    `INSERT INTO ${table} (organisation_id, ${columns.join(', ')})
     VALUES (current_setting('app.organisation'), ${parameters.join(', ')})
     ON CONFLICT (organisation_id, id) DO UPDATE SET ${changes.join(', ')}`,
    Object.values(row),
  );
}
