import { connectTemporal } from './connection.ts';
import type { TemporalOptions } from './connection.ts';
import { createRemoteConverter } from './remote-codec.ts';
import type { RemoteCodec } from './remote-codec.ts';

/** What a workflow says of itself, and how long its history is. */
export interface WorkflowLook {
  /** Its answer to the query `state`. */
  readonly state: unknown;
  readonly events: number;
}

/** Looks into workflows from the outside, as an operator does. */
export interface Inspector {
  look(workflowId: string): Promise<WorkflowLook>;
  close(): Promise<void>;
}

/** How long a look may take: a query waits for a worker, and there may be none at the moment. */
const LOOK_WITHIN_MS = 5_000;

/** Connects to Temporal to look into workflows, with a codec that reads them; close it when done. */
export async function openInspector(options: TemporalOptions, codec: RemoteCodec): Promise<Inspector> {
  const { connection, client } = await connectTemporal({ ...options, dataConverter: createRemoteConverter(codec) });
  return {
    look: (workflowId) =>
      client.withDeadline(Date.now() + LOOK_WITHIN_MS, async () => {
        const handle = client.workflow.getHandle(workflowId);
        const [state, { historyLength }] = await Promise.all([handle.query<unknown>('state'), handle.describe()]);
        return { state, events: historyLength };
      }),
    close: () => connection.close(),
  };
}
