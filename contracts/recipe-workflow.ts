import { defineQuery, defineSignal, defineUpdate } from '@temporalio/workflow';
import { z } from 'zod';

import { Actor } from './actor.ts';
import { RunId, TaskId } from './ids.ts';
import { Role } from './principal.ts';
import type { TaskStatus } from './task-workflow.ts';
import { Timestamp } from './time.ts';

/** Where a run of a recipe stands. */
export const RecipeRunStatus = z
  .enum(['running', 'completed', 'failed', 'cancelled', 'overdue', 'refused'])
  .describe('overdue: nobody was done in time, the task was cancelled; refused: it could not even be sent');
export type RecipeRunStatus = z.infer<typeof RecipeRunStatus>;

export const RecipeTrigger = z.enum(['schedule', 'manual']).describe('What started the run');
export type RecipeTrigger = z.infer<typeof RecipeTrigger>;

export const RecipeName = z
  .string()
  .regex(/^[a-z][a-z0-9-]{0,59}$/, 'must be lower-case letters, digits and dashes, at most 60')
  .describe('Name of a recipe in the profile of a role');

/** Which recipe of which role of whom. */
const which = { organisation_id: z.string(), role: Role, recipe: RecipeName };

export const RecipeRunStart = z.object({
  ...which,
  run_id: RunId,
  trigger: RecipeTrigger,
  actor: Actor,
  trace_id: z.string(),
});
export type RecipeRunStart = z.infer<typeof RecipeRunStart>;

export const RecipeTriggerStart = z.object(which);
export type RecipeTriggerStart = z.infer<typeof RecipeTriggerStart>;

export const RecipeRunState = z.object({
  run_id: RunId,
  role: Role,
  recipe: RecipeName,
  trigger: RecipeTrigger,
  status: RecipeRunStatus,
  task_id: TaskId.nullable().describe('The task that carries it out'),
  reason: z.string().nullable().describe('Why it was refused'),
  started_at: Timestamp,
  ended_at: Timestamp.nullable(),
  trace_id: z.string(),
});
export type RecipeRunState = z.infer<typeof RecipeRunState>;

/** The row that lists read. */
export interface RecipeRunProjection {
  readonly id: string;
  readonly role: Role;
  readonly recipe: string;
  readonly trigger: RecipeTrigger;
  readonly started_by: string;
  readonly status: RecipeRunStatus;
  readonly task_id: string | null;
  readonly reason: string | null;
  readonly trace_id: string;
  readonly created_at: string;
  readonly ended_at: string | null;
}

/** The task that carries a recipe out, ready to be sent. */
export interface PreparedRecipe {
  readonly task_id: string;
  readonly content: string;
  readonly complete_seconds: number;
}

export interface RecipeActivities {
  /** Ids of a run that a schedule starts. */
  newRecipeRun(): Promise<{ readonly run_id: string; readonly trace_id: string }>;
  /** Keeps the recipe as the content of a task. Refuses with not_found or illegal_transition (switched off). */
  prepareRecipe(
    run: Pick<RecipeRunStart, 'organisation_id' | 'run_id' | 'role' | 'recipe' | 'trigger'>,
  ): Promise<PreparedRecipe>;
}

/** That the task of a run was admitted, and how it ended or where it got stuck. */
export interface TaskOutcome {
  readonly task_id: string;
  readonly status: TaskStatus | 'refused';
}
export const taskOutcomeSignal = defineSignal<[TaskOutcome]>('taskOutcome');

export type RecipeRunWorkflow = (start: RecipeRunStart) => Promise<RecipeRunState>;
export const RECIPE_RUN_WORKFLOW = 'recipeRun';
export const recipeRunWorkflowId = (organisationId: string, runId: string): string =>
  `recipe:${organisationId}:${runId}`;
/** Answers once the task is sent, or the run was refused. */
export const recipeStartedUpdate = defineUpdate<RecipeRunState>('started');
export const recipeRunQuery = defineQuery<RecipeRunState>('state');

/** What a schedule starts: it stands until the run has ended, so that runs of a schedule never overlap. */
export type RecipeTriggerWorkflow = (start: RecipeTriggerStart) => Promise<RecipeRunState>;
export const RECIPE_TRIGGER_WORKFLOW = 'recipeTrigger';
/** Belongs to no organisation as far as encryption goes: the server adds a time to it. */
export const recipeScheduleId = ({ organisation_id, role, recipe }: RecipeTriggerStart, taskQueue: string): string =>
  `recipe-schedule/${taskQueue}/${organisation_id}/${role}/${recipe}`;
