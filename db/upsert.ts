import type { Queryable } from './pool.ts';

/** Names come from our own row types; still, nothing but a plain name may reach the statement. */
function plainName(name: string): string {
  if (!/^[a-z_]+$/.test(name)) throw new Error(`${name} is not a column name`);
  return name;
}

/** Inserts a projection row, or overwrites an older state of it; an older state never overwrites a newer one. */
export function insertOrAdvance(
  sql: Queryable,
  table: 'tasks' | 'approvals' | 'sessions',
  row: Readonly<Record<string, unknown>> & { readonly sequence: number },
): Promise<object[]> {
  const columns = Object.keys(row).map(plainName);
  const parameters = columns.map((_, index) => `$${String(index + 1)}`);
  const changes = columns.filter((column) => column !== 'id').map((column) => `${column} = EXCLUDED.${column}`);
  return sql.query(
    `INSERT INTO ${table} AS present (organisation_id, ${columns.join(', ')})
     VALUES (current_setting('app.organisation'), ${parameters.join(', ')})
     ON CONFLICT (organisation_id, id) DO UPDATE SET ${changes.join(', ')} WHERE present.sequence < EXCLUDED.sequence`,
    Object.values(row),
  );
}
