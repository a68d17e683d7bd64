import { randomInt } from 'node:crypto';
import net from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** A port that is free on this host right now. */
export async function freePort(host = '127.0.0.1'): Promise<number> {
  const server = await listen(0, host);
  const address = server.address();
  await close(server);
  if (address === null || typeof address === 'string') throw new Error(`No free port on ${host}.`);
  return address.port;
}

/** Temporal's own server keeps its ports in a column of 16 bits with a sign. */
const MOST_16_BIT = 32_767;
const LEAST_FREE = 20_000;

/** A free port that fits into 15 bits. */
export async function freeLowPort(host = '127.0.0.1'): Promise<number> {
  for (;;) {
    const port = randomInt(LEAST_FREE, MOST_16_BIT + 1);
    if (await isPortFree(port, host)) return port;
  }
}

/** Whether a server could listen here. */
export async function isPortFree(port: number, host = '127.0.0.1'): Promise<boolean> {
  try {
    await close(await listen(port, host));
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') return false;
    throw error;
  }
}

/** What a port is for, so that a message can say how to change it. */
export interface PortUse {
  /** e.g. `API` */
  readonly what: string;
  /** e.g. `SWITCHBOARD_API_PORT` */
  readonly variable: string;
  readonly host?: string;
  /** Only ports below 32768 will do. */
  readonly low?: boolean;
}

/** The port, or a free one for 0; throws one line that names the variable where it is taken or forbidden. */
export async function settlePort(
  port: number,
  { what, variable, host = '127.0.0.1', low = false }: PortUse,
): Promise<number> {
  if (port === 0) return low ? freeLowPort(host) : freePort(host);
  const hint = `set ${variable} to another (0 picks a free one)`;
  const free = await becomesFree(port, host).catch((error: unknown) => {
    throw new Error(`Port ${String(port)} on ${host} (${what}) cannot be used: ${(error as Error).message}; ${hint}.`);
  });
  if (!free) throw new Error(`Port ${String(port)} (${what}) is in use: free it, or ${hint}.`);
  return port;
}

// The children of a server that was killed hard keep its socket until they notice, a moment later.
const FREE_WITHIN_MS = 3_000;

async function becomesFree(port: number, host: string): Promise<boolean> {
  const deadline = Date.now() + FREE_WITHIN_MS;
  while (!(await isPortFree(port, host))) {
    if (Date.now() > deadline) return false;
    await sleep(100);
  }
  return true;
}

function listen(port: number, host: string): Promise<net.Server> {
  return new Promise((resolve, reject) => {
    const server = net.createServer();
    server.once('error', reject);
    server.listen({ port, host, exclusive: true }, () => resolve(server));
  });
}

function close(server: net.Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
  });
}
