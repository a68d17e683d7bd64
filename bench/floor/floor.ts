import path from 'node:path';

import { Client, Connection, WithStartWorkflowOperation } from '@temporalio/client';

import { nodeService } from '../../cli/stack/node-service.ts';
import type { RunningConfig } from '../../cli/stack/stack.ts';
import { newId } from '../../platform/ids.ts';
import { admission, change } from './workflows.ts';
import type { floorTask } from './workflows.ts';

const QUEUE = 'bench-floor';

/** What the engine alone can do on this machine and this server. */
export interface Floor {
  /** One life: started and admitted in one call, then two updates. */
  readonly life: () => Promise<void>;
  /** A workflow that waits to be claimed; `change` is one bare update. */
  open(): Promise<{ change(type: string): Promise<void> }>;
  readonly pids: readonly number[];
  close(): Promise<void>;
}

/** Starts so many workers of the bare SDK, each a process, and a client in this one. */
export async function startFloor(config: RunningConfig, workers = 1): Promise<Floor> {
  const queued = { ...config, temporalTaskQueue: QUEUE };
  const script = path.join(import.meta.dirname, 'worker-main.ts');
  const running = await Promise.all(
    Array.from({ length: workers }, async (_, index) => {
      const env = { NODE_OPTIONS: '--max-old-space-size=512 --max-semi-space-size=8' };
      const child = await nodeService({ name: `floor-${String(index)}`, script, env }, queued, () => undefined).start();
      await child.ready;
      return child;
    }),
  );
  const connection = await Connection.connect({ address: config.temporalAddress });
  const client = new Client({ connection, namespace: config.temporalNamespace });
  const open = async () => {
    const workflowId = `floor:${newId('task')}`;
    const startWorkflowOperation = new WithStartWorkflowOperation<typeof floorTask>('floorTask', {
      workflowId,
      taskQueue: QUEUE,
      args: [{ sender: 'someone', target: 'someone', content: workflowId }],
      workflowIdConflictPolicy: 'USE_EXISTING',
    });
    await client.workflow.executeUpdateWithStart(admission, { startWorkflowOperation });
    const handle = client.workflow.getHandle(workflowId);
    return {
      change: async (type: string) => {
        await handle.executeUpdate(change, { args: [{ type }] });
      },
    };
  };
  return {
    open,
    pids: running.map(({ pid }) => pid),
    life: async () => {
      const task = await open();
      await task.change('claim');
      await task.change('complete');
    },
    close: async () => {
      await connection.close();
      await Promise.all(running.map((child) => child.stop(10_000)));
    },
  };
}
