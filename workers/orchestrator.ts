import { fileURLToPath } from 'node:url';

import { bundleWorkflowCode, DefaultLogger, Worker } from '@temporalio/worker';
import type {
  NativeConnection,
  WorkerDeploymentOptions,
  WorkerOptions,
  WorkflowBundleOption,
} from '@temporalio/worker';

import { createOrchestratorActivities, createOutboundActivities } from '../activities/index.ts';
import type { ActivityDeps } from '../activities/index.ts';
import { deliveryQueue } from '../contracts/queues.ts';
import { FAILURE_CONVERTER_PATH } from '../temporal/data-converter.ts';

/** Where the workflows are; they are bundled by path, never imported. */
export const WORKFLOWS_PATH = fileURLToPath(new URL('../workflows/index.ts', import.meta.url));

/** What tells the attempts at a workflow task apart. */
const ATTEMPT_PATH = fileURLToPath(new URL('../workflows/attempt.ts', import.meta.url));

/** What they share. */
const PRELOAD_PATH = fileURLToPath(new URL('../workflows/preload.ts', import.meta.url));

/** Bundles the workflows once, for all workers of a process, or to be kept for later starts. */
export const bundleWorkflows = (): ReturnType<typeof bundleWorkflowCode> =>
  bundleWorkflowCode({
    workflowsPath: WORKFLOWS_PATH,
    failureConverterPath: FAILURE_CONVERTER_PATH,
    preloadModules: ['zod', PRELOAD_PATH],
    workflowInterceptorModules: [ATTEMPT_PATH],
    logger: new DefaultLogger('WARN'),
  });

export interface WorkerSetup {
  readonly connection: NativeConnection;
  readonly namespace: string;
  readonly taskQueue: string;
  readonly deps: ActivityDeps;
  readonly workflowBundle: WorkflowBundleOption;
  readonly maxCachedWorkflows: number;
  /** How payloads are encrypted: the same as the client's. */
  readonly dataConverter: NonNullable<WorkerOptions['dataConverter']>;
  /** The build that these workers are, and what becomes of open workflows when another comes; none in most tests. */
  readonly deployment?: WorkerDeploymentOptions;
  readonly identity?: string;
}

/** The workers of one process: workflows with their short activities, and beside them calls to the world. */
export async function createWorkers(setup: WorkerSetup): Promise<readonly Worker[]> {
  const { connection, namespace, taskQueue, deps } = setup;
  const common: Partial<WorkerOptions> = {
    connection,
    namespace,
    dataConverter: setup.dataConverter,
    ...(setup.deployment && { workerDeploymentOptions: setup.deployment }),
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
