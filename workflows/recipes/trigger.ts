import { executeChild, ParentClosePolicy } from '@temporalio/workflow';

import { SYSTEM } from '../../contracts/actor.ts';
import { parsePayload } from '../../contracts/parse.ts';
import { RECIPE_RUN_WORKFLOW, RecipeTriggerStart, recipeRunWorkflowId } from '../../contracts/recipe-workflow.ts';
import type { RecipeRunWorkflow, RecipeTriggerWorkflow } from '../../contracts/recipe-workflow.ts';
import { local } from '../local.ts';
import { attributesOf } from '../search.ts';

/** The hour of a schedule has come: runs the recipe, and stands until that has ended. */
export const recipeTrigger: RecipeTriggerWorkflow = async (payload) => {
  const { organisation_id, role, recipe } = parsePayload(RecipeTriggerStart, payload);
  const { run_id, trace_id } = await local.newRecipeRun();
  return executeChild<RecipeRunWorkflow>(RECIPE_RUN_WORKFLOW, {
    workflowId: recipeRunWorkflowId(organisation_id, run_id),
    args: [{ organisation_id, role, recipe, run_id, trace_id, trigger: 'schedule', actor: { ...SYSTEM, role } }],
    parentClosePolicy: ParentClosePolicy.ABANDON,
    typedSearchAttributes: attributesOf({ organisation: organisation_id, kind: 'recipe', status: 'running', role }),
  });
};
