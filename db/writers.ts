import type { Queryable } from './pool.ts';

/** A newer attempt at the workflow's task has written meanwhile: what an earlier one still sends counts no more. */
export class SupersededWriter extends Error {
  constructor(workflowId: string) {
    super(`Another attempt at the task of ${workflowId} has written since.`);
    this.name = 'SupersededWriter';
  }
}

/** Attempts are over after days at most. */
const REMEMBERED = "interval '30 days'";

/** Takes the right to write for an attempt, until the transaction ends; throws where a newer one has had it. */
export async function takeTurn(sql: Queryable, workflowId: string, attemptAt: number): Promise<void> {
  const taken = await sql.query(
    `INSERT INTO workflow_writers AS last (organisation_id, workflow_id, attempt_at)
     VALUES (current_setting('app.organisation'), $1, $2)
     ON CONFLICT (organisation_id, workflow_id) DO UPDATE SET attempt_at = EXCLUDED.attempt_at, updated_at = now()
     WHERE last.attempt_at <= EXCLUDED.attempt_at RETURNING attempt_at`,
    [workflowId, attemptAt],
  );
  if (taken.length === 0) throw new SupersededWriter(workflowId);
}

/** Forgets workflows that have not written for long. */
export const sweepWriters = (sql: Queryable): Promise<object[]> =>
  sql.query(`DELETE FROM workflow_writers WHERE updated_at < now() - ${REMEMBERED}`);
