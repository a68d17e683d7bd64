import { ScheduleAlreadyRunning, ScheduleNotFoundError } from '@temporalio/client';
import type { Client, ScheduleOptions, ScheduleOptionsStartWorkflowAction } from '@temporalio/client';
import type { Workflow } from '@temporalio/common';

import { RECIPE_TRIGGER_WORKFLOW, recipeScheduleId } from '../contracts/recipe-workflow.ts';
import type { RecipeTriggerStart } from '../contracts/recipe-workflow.ts';

export type { Client } from '@temporalio/client';

/** A recipe as its schedule in Temporal knows it. */
export interface RecipeSchedule extends RecipeTriggerStart {
  /** Minute, hour, day of month, month, day of week. */
  readonly cron: string;
  readonly timezone: string;
  readonly paused: boolean;
}

/** How late a run may begin, e.g. after an outage; what was missed for longer is left out. */
const CATCH_UP = '10 minutes';

type Definition = ScheduleOptions<ScheduleOptionsStartWorkflowAction<Workflow>>;

function definitionOf(recipe: RecipeSchedule, taskQueue: string): Definition {
  const { organisation_id, role, recipe: name, cron, timezone, paused } = recipe;
  const scheduleId = recipeScheduleId(recipe, taskQueue);
  return {
    scheduleId,
    spec: { cronExpressions: [cron], timezone },
    policies: { overlap: 'SKIP', catchupWindow: CATCH_UP },
    state: { paused },
    action: {
      type: 'startWorkflow',
      workflowType: RECIPE_TRIGGER_WORKFLOW,
      workflowId: scheduleId,
      taskQueue,
      args: [{ organisation_id, role, recipe: name }],
    },
  };
}

/** Makes the schedule of a recipe, or changes the one that is there. */
export async function putRecipeSchedule(client: Client, recipe: RecipeSchedule, taskQueue: string): Promise<void> {
  const definition = definitionOf(recipe, taskQueue);
  try {
    await client.schedule.create(definition);
  } catch (error) {
    if (!(error instanceof ScheduleAlreadyRunning)) throw error;
    const { spec, policies = {}, action } = definition;
    await client.schedule
      .getHandle(definition.scheduleId)
      .update(({ state }) => ({ spec, policies, action, state: { ...state, paused: recipe.paused } }));
  }
}

/** Pauses a schedule or lets it go on, at once; one that is not there yet will be made as it is to be. */
export async function pauseRecipeSchedule(
  client: Client,
  recipe: RecipeTriggerStart,
  { taskQueue, paused }: { readonly taskQueue: string; readonly paused: boolean },
): Promise<void> {
  const handle = client.schedule.getHandle(recipeScheduleId(recipe, taskQueue));
  try {
    await (paused ? handle.pause() : handle.unpause());
  } catch (error) {
    if (!(error instanceof ScheduleNotFoundError)) throw error;
  }
}

/** Removes the schedule of a recipe; one that is not there is removed already. */
export async function removeRecipeSchedule(
  client: Client,
  recipe: RecipeTriggerStart,
  taskQueue: string,
): Promise<void> {
  try {
    await client.schedule.getHandle(recipeScheduleId(recipe, taskQueue)).delete();
  } catch (error) {
    if (!(error instanceof ScheduleNotFoundError)) throw error;
  }
}
