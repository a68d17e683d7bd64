import { fileURLToPath } from 'node:url';

import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';

import { loadConfig } from '../../platform/config.ts';
import { reportReady } from '../../platform/ready.ts';
import type { FloorActivities } from './workflows.ts';

const activities: FloorActivities = { step: () => Promise.resolve({ done: true }) };

/** A worker of the bare SDK, with the settings of the product's. */
const { temporalAddress: address = '127.0.0.1:7233', temporalNamespace: namespace, ...config } = loadConfig();
Runtime.install({ logger: new DefaultLogger('ERROR') });
const worker = await Worker.create({
  connection: await NativeConnection.connect({ address }),
  namespace,
  taskQueue: config.temporalTaskQueue,
  workflowsPath: fileURLToPath(new URL('./workflows.ts', import.meta.url)),
  activities: { ...activities },
  bundlerOptions: {},
  maxCachedWorkflows: config.workerMaxCachedWorkflows,
  maxConcurrentWorkflowTaskExecutions: 40,
  maxConcurrentLocalActivityExecutions: 40,
  workflowTaskPollerBehavior: { type: 'autoscaling', minimum: 2, initial: 4, maximum: 16 },
});
process.once('SIGTERM', () => worker.shutdown());
reportReady();
await worker.run();
process.exit(0);
