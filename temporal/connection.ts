import { setTimeout as sleep } from 'node:timers/promises';
import { Client, Connection } from '@temporalio/client';
import type { ClientOptions, ConnectionOptions } from '@temporalio/client';
import type { DataConverter } from '@temporalio/common';

/** Where Temporal is and how to speak with it. */
export interface TemporalOptions {
  /** host:port */
  readonly address: string;
  readonly namespace: string;
  /** How long to keep trying while nothing answers (default 30 s). */
  readonly waitMs?: number;
  /** How payloads are encrypted; without it, only what is not encrypted can be read. */
  readonly dataConverter?: DataConverter | undefined;
  readonly connection?: Omit<ConnectionOptions, 'address'>;
  readonly client?: Omit<ClientOptions, 'connection' | 'namespace'>;
}

/** An open connection and a client on it; close the connection when done. */
export interface TemporalClient {
  readonly connection: Connection;
  readonly client: Client;
}

/** Connects to Temporal, waiting for it to come up; throws one line naming the address when it does not. */
export async function connectTemporal({
  address,
  namespace,
  waitMs = 30_000,
  ...options
}: TemporalOptions): Promise<TemporalClient> {
  const connection = await connect(address, waitMs, options.connection);
  const { dataConverter } = options;
  return {
    connection,
    client: new Client({ ...options.client, ...(dataConverter && { dataConverter }), connection, namespace }),
  };
}

async function connect(address: string, waitMs: number, options: TemporalOptions['connection']): Promise<Connection> {
  const deadline = Date.now() + waitMs;
  for (;;) {
    try {
      return await Connection.connect({ ...options, address, connectTimeout: 5000 });
    } catch (error) {
      if (Date.now() > deadline) {
        throw new Error(`Temporal does not answer at ${address}: start it or set SWITCHBOARD_TEMPORAL_ADDRESS.`, {
          cause: error,
        });
      }
      await sleep(100);
    }
  }
}
