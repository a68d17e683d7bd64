import { allHandlersFinished, CancellationScope, condition, isCancellation, setHandler } from '@temporalio/workflow';

import { parsePayload } from '../../contracts/parse.ts';
import {
  RecipeRunStart,
  recipeRunQuery,
  recipeStartedUpdate,
  taskOutcomeSignal,
} from '../../contracts/recipe-workflow.ts';
import type { RecipeRunWorkflow } from '../../contracts/recipe-workflow.ts';
import { RecipeRunDesk } from './desk.ts';

/** One run of a recipe: a task for the agents of its role, whose end the role hears of. */
export const recipeRun: RecipeRunWorkflow = async (payload) => {
  const desk = new RecipeRunDesk(parsePayload(RecipeRunStart, payload));
  setHandler(recipeRunQuery, () => desk.stateNow());
  setHandler(taskOutcomeSignal, (outcome) => desk.hear(outcome));
  setHandler(recipeStartedUpdate, async () => {
    await condition(() => desk.begun);
    return desk.started();
  });

  try {
    if (await desk.begin()) await ((await condition(() => desk.isDone, desk.patienceMs)) ? desk.end() : desk.giveUp());
  } catch (error) {
    if (!isCancellation(error)) throw error;
    await CancellationScope.nonCancellable(() => desk.cancel());
    throw error;
  } finally {
    await CancellationScope.nonCancellable(() => desk.settled());
  }
  await condition(allHandlersFinished);
  return desk.stateNow();
};
