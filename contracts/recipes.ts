import { z } from 'zod';

import { RunId } from './ids.ts';
import { JsonMap } from './json.ts';
import { defineOperation } from './operation.ts';
import { NextCursor, pageFields } from './paging.ts';
import { Role } from './principal.ts';
import { RecipeName, RecipeRunState } from './recipe-workflow.ts';
import { Timestamp } from './time.ts';

export * from './recipe-workflow.ts';

export const RecipeRunView = RecipeRunState.extend({
  started_by: z.string().describe('Who ran it: a user or agent id, or switchboard for a schedule'),
});
export type RecipeRunView = z.infer<typeof RecipeRunView>;

export const RecipeView = z.object({
  role: Role,
  name: RecipeName,
  title: z.string(),
  description: z.string(),
  schedule: z.string().describe('Minute, hour, day of month, month, day of week'),
  timezone: z.string().describe('IANA name of the time zone that the schedule is read in'),
  enabled: z.boolean().describe('Whether the profile has it switched on'),
  paused: z.boolean().describe('Whether somebody has paused it'),
  next_run_at: Timestamp.nullable().describe('When it runs next; null while it is off or paused'),
  last_run: RecipeRunView.nullable(),
});
export type RecipeView = z.infer<typeof RecipeView>;

const which = { role: Role, name: RecipeName };
const ERRORS = ['not_found', 'forbidden'] as const;

export const listRecipes = defineOperation({
  name: 'list_recipes',
  method: 'get',
  path: '/recipes',
  summary: 'The scheduled recipes of a role, when they run next and how they went last.',
  input: z.strictObject({ role: Role.optional().describe('Your own unless given') }),
  output: z.object({ recipes: z.array(RecipeView) }),
  action: 'recipe:read',
  errors: ['forbidden'],
});

export const getRecipe = defineOperation({
  name: 'get_recipe',
  method: 'get',
  path: '/recipes/{role}/{name}',
  summary: 'One recipe with its definition, a goose recipe file as JSON.',
  input: z.strictObject(which),
  output: RecipeView.extend({ definition: JsonMap }),
  action: 'recipe:read',
  errors: ERRORS,
});

export const runRecipe = defineOperation({
  name: 'run_recipe',
  method: 'post',
  path: '/recipes/{role}/{name}/run',
  summary: 'Run a recipe now, beside its schedule.',
  input: z.strictObject(which),
  output: RecipeRunView,
  action: 'recipe:run',
  status: 202,
  errors: [...ERRORS, 'illegal_transition'],
});

export const pauseRecipe = defineOperation({
  name: 'pause_recipe',
  method: 'put',
  path: '/recipes/{role}/{name}/pause',
  summary: 'Pause the schedule of a recipe, or let it go on.',
  input: z.strictObject({ ...which, paused: z.boolean() }),
  output: RecipeView,
  action: 'recipe:manage',
  errors: ERRORS,
});

export const listRecipeRuns = defineOperation({
  name: 'list_recipe_runs',
  method: 'get',
  path: '/recipes/{role}/{name}/runs',
  summary: 'The runs of a recipe, newest first.',
  input: z.strictObject({ ...which, limit: pageFields.limit, cursor: pageFields.cursor }),
  output: z.object({ runs: z.array(RecipeRunView), next_cursor: NextCursor }),
  action: 'recipe:read',
  errors: ERRORS,
});

export const getRecipeRun = defineOperation({
  name: 'get_recipe_run',
  method: 'get',
  path: '/recipe-runs/{run_id}',
  summary: 'One run of a recipe.',
  input: z.strictObject({ run_id: RunId }),
  output: RecipeRunView,
  action: 'recipe:read',
  errors: ['not_found'],
});
