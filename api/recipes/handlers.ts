import { CronExpressionParser } from 'cron-parser';

import { actorOf } from '../../contracts/actor.ts';
import type { Json } from '../../contracts/json.ts';
import type { Role } from '../../contracts/principal.ts';
import {
  getRecipe,
  getRecipeRun,
  listRecipeRuns,
  listRecipes,
  pauseRecipe,
  RECIPE_RUN_WORKFLOW,
  recipeRunWorkflowId,
  recipeStartedUpdate,
  runRecipe,
} from '../../contracts/recipes.ts';
import type {
  RecipeRunStart,
  RecipeRunState,
  RecipeRunView,
  RecipeRunWorkflow,
  RecipeView,
} from '../../contracts/recipes.ts';
import {
  findRecipeRun,
  lastRecipeRuns,
  listRecipeRuns as queryRuns,
  listRecipeSchedules,
  setRecipePaused,
} from '../../db/recipes.ts';
import type { RecipeRunRow } from '../../db/recipes.ts';
import type { GooseRecipe, ProfileRecipe } from '../../directory/recipes.ts';
import { pauseRecipeSchedule } from '../../temporal/recipe-schedules.ts';
import type { Action } from '../../policy/actions.ts';
import type { Call } from '../call.ts';
import type { ApiDeps } from '../deps.ts';
import { mount } from '../http.ts';
import type { Mounting } from '../http.ts';
import { decisionOn, requirePermission } from '../permission.ts';
import { notFound } from '../problem.ts';
import { recordEvent } from '../record.ts';
import { afterOf, iso, isoOrNull, pageOf } from '../views.ts';
import { startAndAsk } from '../workflows.ts';

const resourceOf = (role: Role) => ({ kind: 'recipe', target_role: role }) as const;

const runView = (row: RecipeRunRow): RecipeRunView => ({
  run_id: row.id,
  role: row.role,
  recipe: row.recipe,
  trigger: row.trigger,
  started_by: row.started_by,
  status: row.status,
  task_id: row.task_id,
  reason: row.reason,
  started_at: iso(row.created_at),
  ended_at: isoOrNull(row.ended_at),
  trace_id: row.trace_id,
});

/** A schedule that never comes again, e.g. on the 30th of February, has no next run. */
function nextRunOf({ schedule, timezone }: ProfileRecipe): string | null {
  try {
    return CronExpressionParser.parse(schedule, { tz: timezone }).next().toISOString();
  } catch {
    return null;
  }
}

interface Recipe {
  readonly entry: ProfileRecipe;
  readonly definition: GooseRecipe;
}

async function recipesOf({ profilesOf, recipes }: ApiDeps, { principal }: Call, role: Role): Promise<Recipe[]> {
  const profiles = await profilesOf(principal.organisation_id);
  return (profiles.get(role)?.recipes ?? []).flatMap((entry) => {
    const definition = recipes.get(entry.path);
    return definition ? [{ entry, definition }] : [];
  });
}

/** A recipe that the caller may do this with. */
async function recipeFor(deps: ApiDeps, call: Call, role: Role, name: string, action: Action): Promise<Recipe> {
  await requirePermission(deps, call, action, resourceOf(role));
  const recipe = (await recipesOf(deps, call, role)).find(({ entry }) => entry.name === name);
  if (!recipe) throw notFound(`The recipe ${role}/${name}`);
  return recipe;
}

async function viewsOf(
  { database }: ApiDeps,
  { principal }: Call,
  role: Role,
  recipes: readonly Recipe[],
): Promise<RecipeView[]> {
  const { schedules, runs } = await database.inOrganisation(principal.organisation_id, async (sql) => ({
    schedules: await listRecipeSchedules(sql),
    runs: await lastRecipeRuns(sql, role),
  }));
  const isPaused = (name: string): boolean =>
    schedules.some((row) => row.role === role && row.recipe === name && row.paused);
  return recipes.map(({ entry, definition }) => {
    const { name, schedule, timezone, enabled } = entry;
    const paused = isPaused(name);
    const last = runs.find((row) => row.recipe === name);
    return {
      role,
      name,
      title: definition.title,
      description: definition.description,
      schedule,
      timezone,
      enabled,
      paused,
      next_run_at: enabled && !paused ? nextRunOf(entry) : null,
      last_run: last ? runView(last) : null,
    };
  });
}

async function viewOf(deps: ApiDeps, call: Call, role: Role, recipe: Recipe): Promise<RecipeView> {
  const [view] = await viewsOf(deps, call, role, [recipe]);
  if (!view) throw notFound(`The recipe ${role}/${recipe.entry.name}`);
  return view;
}

async function run(deps: ApiDeps, call: Call, role: Role, name: string): Promise<RecipeRunView> {
  const { organisation_id } = call.principal;
  const actor = actorOf(call.principal);
  const trigger = 'manual';
  const start: RecipeRunStart = {
    organisation_id,
    run_id: call.id,
    role,
    recipe: name,
    trigger,
    actor,
    trace_id: call.traceId,
  };
  const workflowId = recipeRunWorkflowId(organisation_id, call.id);
  const state = await startAndAsk<RecipeRunWorkflow, RecipeRunState>(
    deps,
    call,
    { type: RECIPE_RUN_WORKFLOW, workflowId, args: [start], kind: 'recipe', role, session: null },
    recipeStartedUpdate,
  );
  if (state) return { ...state, started_by: actor.id };
  return runView(await readableRun(deps, call, call.id));
}

/** A run that the caller may read; whoever may not is told that it does not exist. */
async function readableRun({ database }: ApiDeps, { principal }: Call, id: string): Promise<RecipeRunRow> {
  const row = await database.inOrganisation(principal.organisation_id, (sql) => findRecipeRun(sql, id));
  if (!row || !decisionOn(principal, 'recipe:read', resourceOf(row.role)).allow) throw notFound(`Run ${id}`);
  return row;
}

/** On record first: where Temporal cannot be told now, a worker tells it later. */
async function pause(deps: ApiDeps, call: Call, { role, name, paused }: { role: Role; name: string; paused: boolean }) {
  const { client, taskQueue, database, log } = deps;
  const { organisation_id, id: by } = call.principal;
  await database.transaction(organisation_id, async (sql) => {
    await setRecipePaused(sql, { role, recipe: name }, paused, by);
    const action = paused ? 'recipe.paused' : 'recipe.resumed';
    await recordEvent(sql, call, { action, kind: 'recipe', id: `${role}/${name}`, details: {} });
  });
  const schedule = { organisation_id, role, recipe: name };
  await pauseRecipeSchedule(client, schedule, { taskQueue, paused }).catch((error: unknown) => {
    log.warn({ err: error, ...schedule }, 'a schedule could not be paused at once');
  });
}

/** Routes of recipes. */
export function mountRecipes(mounting: Mounting): void {
  const { deps } = mounting;
  mount(mounting, listRecipes, async ({ role: asked }, call) => {
    const role = asked ?? call.principal.role;
    await requirePermission(deps, call, 'recipe:read', resourceOf(role));
    return { recipes: await viewsOf(deps, call, role, await recipesOf(deps, call, role)) };
  });
  mount(mounting, getRecipe, async ({ role, name }, call) => {
    const recipe = await recipeFor(deps, call, role, name, 'recipe:read');
    // A file of ours that was parsed: JSON by its schema.
    const definition = recipe.definition as unknown as Record<string, Json>;
    return { ...(await viewOf(deps, call, role, recipe)), definition };
  });
  mount(
    mounting,
    runRecipe,
    async ({ role, name }, call) => {
      await recipeFor(deps, call, role, name, 'recipe:run');
      return run(deps, call, role, name);
    },
    { creates: 'run' },
  );
  mount(mounting, pauseRecipe, async ({ role, name, paused }, call) => {
    const recipe = await recipeFor(deps, call, role, name, 'recipe:manage');
    await pause(deps, call, { role, name, paused });
    return viewOf(deps, call, role, recipe);
  });
  mount(mounting, listRecipeRuns, async ({ role, name, limit, cursor }, call) => {
    await recipeFor(deps, call, role, name, 'recipe:read');
    const rows = await deps.database.inOrganisation(call.principal.organisation_id, (sql) =>
      queryRuns(sql, { role, recipe: name, after: afterOf(cursor), limit: limit + 1 }),
    );
    const page = pageOf(rows, limit);
    return { runs: page.rows.map(runView), next_cursor: page.next };
  });
  mount(mounting, getRecipeRun, async ({ run_id }, call) => runView(await readableRun(deps, call, run_id)));
}
