export { approval } from './approvals/approval.ts';
export { delivery } from './deliveries/delivery.ts';
export { reconcile } from './deliveries/reconcile.ts';
export { recipeRun } from './recipes/run.ts';
export { recipeTrigger } from './recipes/trigger.ts';
export { fanout } from './sessions/fanout.ts';
export { session } from './sessions/session.ts';
export { task } from './tasks/task.ts';
