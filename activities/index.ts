import type { ApprovalActivities } from '../contracts/approvals.ts';
import type { GuardActivities } from '../contracts/content.ts';
import type { DeliveryActivities, ReconcileActivities } from '../contracts/deliveries.ts';
import type { RecipeActivities } from '../contracts/recipe-workflow.ts';
import type { DirectoryActivities, DirectorySweepActivities } from '../contracts/directory-workflow.ts';
import type { RecordActivities } from '../contracts/record.ts';
import type { SessionActivities } from '../contracts/sessions.ts';
import type { TaskActivities } from '../contracts/tasks.ts';
import { createApprovalActivities } from './approvals.ts';
import { createDeliveryActivities } from './deliveries.ts';
import type { ActivityDeps } from './deps.ts';
import { createDirectoryActivities, createDirectorySweep } from './directory.ts';
import { createGuardActivities } from './guard.ts';
import { createReconcileActivities } from './reconcile.ts';
import { createRecipeActivities } from './recipes.ts';
import { createRecordActivities } from './record.ts';
import { createSessionActivities } from './sessions.ts';
import { createTaskActivities } from './tasks.ts';

export type { ActivityDeps } from './deps.ts';
export type OrchestratorActivities = RecordActivities &
  GuardActivities &
  TaskActivities &
  ApprovalActivities &
  SessionActivities &
  RecipeActivities &
  DirectoryActivities &
  DirectorySweepActivities &
  ReconcileActivities;

/** What the orchestrator's queue runs: short steps beside the workflows. */
export const createOrchestratorActivities = (deps: ActivityDeps): OrchestratorActivities => ({
  ...createRecordActivities(deps),
  ...createGuardActivities(deps),
  ...createTaskActivities(deps),
  ...createApprovalActivities(deps),
  ...createSessionActivities(deps),
  ...createRecipeActivities(deps),
  ...createReconcileActivities(deps),
  ...createDirectoryActivities(deps),
  ...createDirectorySweep(deps),
});

/** What the delivery queue runs: calls to the world. */
export const createOutboundActivities = (deps: ActivityDeps): DeliveryActivities => createDeliveryActivities(deps);
