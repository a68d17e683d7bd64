/** Task queue of workflows and their short activities; a deployment may add a suffix. */
export const ORCHESTRATOR_QUEUE = 'switchboard';

/** Task queue of what talks to the world (webhooks), so that a slow receiver never holds up a task. */
export const deliveryQueue = (orchestratorQueue: string): string => `${orchestratorQueue}-delivery`;
