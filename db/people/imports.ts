import type { Queryable } from '../pool.ts';

/** Where something is wrong with a file; the value at fault is not kept. */
export interface KeptFault {
  readonly row: number;
  readonly column: string | null;
  readonly message: string;
}

export interface ImportRow {
  readonly id: string;
  readonly filename: string;
  readonly digest: string;
  readonly uploaded_by: string;
  readonly uploaded_at: Date;
  readonly status: 'pending' | 'processing' | 'complete' | 'failed';
  readonly users_created: number;
  readonly users_updated: number;
  readonly users_deactivated: number;
  readonly users_reactivated: number;
  readonly users_unchanged: number;
  readonly fault_count: number;
  readonly faults: readonly KeptFault[];
  readonly reason: string | null;
  readonly completed_at: Date | null;
  readonly trace_id: string;
}

const COUNTS = 'users_created, users_updated, users_deactivated, users_reactivated, users_unchanged';
const COLUMNS = `id, filename, digest, uploaded_by, uploaded_at, status, ${COUNTS}, fault_count, reason, completed_at, trace_id`;

/** Puts an import that begins on the list; one that is repeated begins again. */
export const beginImport = (
  sql: Queryable,
  row: Pick<ImportRow, 'id' | 'filename' | 'digest' | 'uploaded_by' | 'trace_id'>,
): Promise<object[]> =>
  sql.query(
    `INSERT INTO directory_imports (organisation_id, id, filename, digest, uploaded_by, trace_id, status)
     VALUES (current_setting('app.organisation'), $1, $2, $3, $4, $5, 'processing')
     ON CONFLICT (organisation_id, id) DO UPDATE SET status = 'processing', uploaded_at = now(), reason = NULL
     WHERE directory_imports.status <> 'complete'`,
    [row.id, row.filename, row.digest, row.uploaded_by, row.trace_id],
  );

/** Notes what an import did; in the transaction that did it. */
export const completeImport = (
  sql: Queryable,
  id: string,
  counts: {
    readonly added: number;
    readonly changed: number;
    readonly deactivated: number;
    readonly reactivated: number;
    readonly unchanged: number;
  },
): Promise<object[]> =>
  sql.query(
    `UPDATE directory_imports SET status = 'complete', completed_at = now(), users_created = $2, users_updated = $3,
       users_deactivated = $4, users_reactivated = $5, users_unchanged = $6 WHERE id = $1`,
    [id, counts.added, counts.changed, counts.deactivated, counts.reactivated, counts.unchanged],
  );

/** Notes why an import changed nothing. */
export const failImport = (
  sql: Queryable,
  id: string,
  reason: string,
  faults: readonly KeptFault[] = [],
  count = faults.length,
): Promise<object[]> =>
  sql.query(
    `UPDATE directory_imports SET status = 'failed', completed_at = now(), reason = $2, faults = $3, fault_count = $4
     WHERE id = $1 AND status <> 'complete'`,
    [id, reason, JSON.stringify(faults), count],
  );

/** Imports whose process went away: everything of theirs was rolled back. The lock tells those that still run. */
export const failInterrupted = (sql: Queryable): Promise<object[]> =>
  sql.query(
    `UPDATE directory_imports SET status = 'failed', completed_at = now(), reason = 'interrupted'
     WHERE status IN ('pending', 'processing') AND uploaded_at < now() - interval '10 minutes'`,
  );

export const findImport = async (sql: Queryable, id: string): Promise<ImportRow | undefined> =>
  (await sql.query<ImportRow>(`SELECT ${COLUMNS}, faults FROM directory_imports WHERE id = $1`, [id]))[0];

/** Imports before or after one, without their faults. */
export const listImports = (
  sql: Queryable,
  {
    after,
    ascending,
    limit,
  }: { readonly after: string | undefined; readonly ascending: boolean; readonly limit: number },
): Promise<Omit<ImportRow, 'faults'>[]> =>
  sql.query(
    `SELECT ${COLUMNS} FROM directory_imports WHERE $1::text IS NULL OR id ${ascending ? '>' : '<'} $1
     ORDER BY id ${ascending ? 'ASC' : 'DESC'} LIMIT $2`,
    [after ?? null, limit],
  );

/** How many imports there were. */
export const countImports = async (sql: Queryable): Promise<number> =>
  (await sql.query<{ count: number }>('SELECT count(*)::int AS count FROM directory_imports'))[0]?.count ?? 0;
