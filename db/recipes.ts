import type { RecipeRunProjection } from '../contracts/recipe-workflow.ts';
import type { Role } from '../contracts/principal.ts';
import type { Queryable } from './pool.ts';
import { writeProjection } from './upsert.ts';

/** A row of the projection as Postgres gives it. */
export type RecipeRunRow = Omit<RecipeRunProjection, 'created_at' | 'ended_at'> & {
  readonly created_at: Date;
  readonly ended_at: Date | null;
};

/** What is known of the schedule of a recipe. */
export interface RecipeScheduleRow {
  readonly role: Role;
  readonly recipe: string;
  /** Of what the schedule in Temporal was made from; null where there is none yet. */
  readonly digest: string | null;
  readonly paused: boolean;
}

const RUN = 'id, role, recipe, trigger, started_by, status, task_id, reason, trace_id, created_at, ended_at';

/** Writes the newest state of a run. */
export const saveRecipeRun = (
  sql: Queryable,
  row: RecipeRunProjection,
  sequence: number,
  at: string,
): Promise<object[]> => writeProjection(sql, 'recipe_runs', { ...row, sequence, updated_at: at });

export const findRecipeRun = async (sql: Queryable, id: string): Promise<RecipeRunRow | undefined> =>
  (await sql.query<RecipeRunRow>(`SELECT ${RUN} FROM recipe_runs WHERE id = $1`, [id]))[0];

/** A page of the runs of a recipe, newest first. */
export const listRecipeRuns = (
  sql: Queryable,
  { role, recipe, after, limit }: { role: Role; recipe: string; after?: string | undefined; limit: number },
): Promise<RecipeRunRow[]> =>
  sql.query<RecipeRunRow>(
    `SELECT ${RUN} FROM recipe_runs WHERE role = $1 AND recipe = $2 AND ($3::text IS NULL OR id < $3)
     ORDER BY id DESC LIMIT $4`,
    [role, recipe, after ?? null, limit],
  );

/** The newest run of each recipe of a role. */
export const lastRecipeRuns = (sql: Queryable, role: Role): Promise<RecipeRunRow[]> =>
  sql.query<RecipeRunRow>(
    `SELECT DISTINCT ON (recipe) ${RUN} FROM recipe_runs WHERE role = $1 ORDER BY recipe, id DESC`,
    [role],
  );

export const listRecipeSchedules = (sql: Queryable): Promise<RecipeScheduleRow[]> =>
  sql.query<RecipeScheduleRow>('SELECT role, recipe, digest, paused FROM recipe_schedules');

/** Notes what the schedule in Temporal was made from. */
export const noteRecipeSchedule = (
  sql: Queryable,
  { role, recipe }: { readonly role: Role; readonly recipe: string },
  digest: string,
): Promise<object[]> =>
  sql.query(
    `INSERT INTO recipe_schedules (organisation_id, role, recipe, digest) VALUES (current_setting('app.organisation'), $1, $2, $3)
     ON CONFLICT (organisation_id, role, recipe) DO UPDATE SET digest = EXCLUDED.digest`,
    [role, recipe, digest],
  );

export const forgetRecipeSchedule = (
  sql: Queryable,
  { role, recipe }: { readonly role: Role; readonly recipe: string },
): Promise<object[]> => sql.query('DELETE FROM recipe_schedules WHERE role = $1 AND recipe = $2', [role, recipe]);

/** Pauses the schedule of a recipe, or lets it go on. The schedule in Temporal follows from it. */
export const setRecipePaused = (
  sql: Queryable,
  { role, recipe }: { readonly role: Role; readonly recipe: string },
  paused: boolean,
  by: string,
): Promise<object[]> =>
  sql.query(
    `INSERT INTO recipe_schedules (organisation_id, role, recipe, paused, paused_by)
     VALUES (current_setting('app.organisation'), $1, $2, $3, $4)
     ON CONFLICT (organisation_id, role, recipe) DO UPDATE SET paused = EXCLUDED.paused, paused_by = EXCLUDED.paused_by`,
    [role, recipe, paused, by],
  );
