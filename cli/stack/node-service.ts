import net from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

import { startChild } from '../../platform/child-process.ts';
import type { Child } from '../../platform/child-process.ts';
import { reachableHost } from '../../platform/config.ts';
import type { Config } from '../../platform/config.ts';
import { environmentOf, foreignEnvironment } from '../../platform/environment.ts';
import { isReadyMessage } from '../../platform/ready.ts';
import type { ProcessDefinition } from '../processes.ts';
import { errorLines } from './log-file.ts';
import type { Running, Service } from './supervisor.ts';

const READY_WITHIN_MS = 120_000;

/** A program of ours as a part of the stack: its own Node process, configured by its environment alone. */
export function nodeService(definition: ProcessDefinition, config: Config, onLine: (line: string) => void): Service {
  return {
    name: definition.name,
    async start(): Promise<Running> {
      const report = Promise.withResolvers<undefined>();
      const child = await startChild({
        name: definition.name,
        command: process.execPath,
        args: [definition.script, ...(definition.args ?? [])],
        env: { ...foreignEnvironment(), ...environmentOf(config), ...definition.env },
        ipc: true,
        onLine,
        onMessage: (message) => {
          if (isReadyMessage(message)) report.resolve(undefined);
        },
      });
      const ready = waitUntilReady(child, definition, config, report.promise);
      // Whoever starts the part awaits this; until then a failure must not count as unhandled.
      ready.catch(() => undefined);
      return { ...child, ready };
    },
  };
}

async function waitUntilReady(
  child: Child,
  definition: ProcessDefinition,
  config: Config,
  reported: Promise<undefined>,
): Promise<void> {
  const given = new AbortController();
  const ended = child.exited.then(() => {
    throw new Error(`${child.name} did not start: ${errorLines(child.tail())}`);
  });
  const late = sleep(READY_WITHIN_MS, undefined, { signal: given.signal }).then(() => {
    throw new Error(`${child.name} is not ready after ${String(READY_WITHIN_MS / 1000)} s.`);
  });
  const waiting: Promise<unknown>[] = [reported, ended, late];
  if (definition.port !== undefined)
    waiting.push(portAnswers(definition.port, reachableHost(config.apiHost), given.signal));
  try {
    await Promise.race(waiting);
  } finally {
    ended.catch(() => undefined);
    late.catch(() => undefined);
    given.abort();
  }
}

async function portAnswers(port: number, host: string, signal: AbortSignal): Promise<void> {
  while (!signal.aborted && !(await accepts(port, host))) await sleep(100);
}

function accepts(port: number, host: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect({ port, host }, () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
