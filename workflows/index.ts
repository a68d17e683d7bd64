export { approval } from './approvals/approval.ts';
export { delivery } from './deliveries/delivery.ts';
export { reconcile } from './deliveries/reconcile.ts';
export { directoryChange } from './people/directory-change.ts';
export { directorySweep } from './people/directory-sweep.ts';
export { fanout } from './sessions/fanout.ts';
export { session } from './sessions/session.ts';
export { task } from './tasks/task.ts';
