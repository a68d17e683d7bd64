import { fileURLToPath } from 'node:url';

import { bundleWorkflowCode, DefaultLogger, Worker } from '@temporalio/worker';
import type { NativeConnection, WorkerOptions, WorkflowBundleOption } from '@temporalio/worker';

import { createOrchestratorActivities, createOutboundActivities } from '../activities/index.ts';
import type { ActivityDeps } from '../activities/index.ts';
import { deliveryQueue } from '../contracts/queues.ts';

/** Where the workflows are; they are bundled by path, never imported. */
export const WORKFLOWS_PATH = fileURLToPath(new URL('../workflows/index.ts', import.meta.url));

/** Bundles the workflows once, for all workers of a process, or to be kept for later starts. */
export const bundleWorkflows = (): ReturnType<typeof bundleWorkflowCode> =>
  bundleWorkflowCode({ workflowsPath: WORKFLOWS_PATH, preloadModules: ['zod'], logger: new DefaultLogger('WARN') });

export interface WorkerSetup {
  readonly connection: NativeConnection;
  readonly namespace: string;
  readonly taskQueue: string;
  readonly deps: ActivityDeps;
  readonly workflowBundle: WorkflowBundleOption;
  readonly maxCachedWorkflows: number;
  readonly identity?: string;
}

/** The workers of one process: workflows with their short activities, and beside them calls to the world. */
export async function createWorkers(setup: WorkerSetup): Promise<readonly Worker[]> {
  const { connection, namespace, taskQueue, deps } = setup;
  const common: Partial<WorkerOptions> = {
    connection,
    namespace,
    // Above the longest local activity, so that a stop never tears one apart.
    shutdownGraceTime: '12 seconds',
    ...(setup.identity !== undefined && { identity: setup.identity }),
  };
  const orchestrator = await Worker.create({
    ...common,
    taskQueue,
    workflowBundle: setup.workflowBundle,
    activities: createOrchestratorActivities(deps),
    maxCachedWorkflows: setup.maxCachedWorkflows,
    // How long the server waits for a worker that died before it gives its workflows to another; the default is 10 s.
    stickyQueueScheduleToStartTimeout: '5 seconds',
    maxConcurrentWorkflowTaskExecutions: 40,
    maxConcurrentLocalActivityExecutions: 40,
    workflowTaskPollerBehavior: { type: 'autoscaling', minimum: 2, initial: 4, maximum: 16 },
  });
  const outbound = await Worker.create({
    ...common,
    taskQueue: deliveryQueue(taskQueue),
    activities: createOutboundActivities(deps),
    maxConcurrentActivityTaskExecutions: 50,
  });
  return [orchestrator, outbound];
}
