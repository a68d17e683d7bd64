import { rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';

import { stopOrphanPostgres } from '../../db/embedded/server.ts';
import type { Config } from '../../platform/config.ts';
import { readIfPresent } from '../../platform/files.ts';
import { processIdentity } from '../../platform/process-info.ts';
import { stopProcess } from '../../platform/stop-process.ts';
import { stopOrphanDevServer } from '../../temporal/dev-server.ts';
import type { Running } from './supervisor.ts';

const Recorded = z.array(z.object({ name: z.string(), pid: z.number(), identity: z.string().optional() }));

const recordFile = (dataDir: string): string => path.join(dataDir, 'processes.json');

/** Where the development server of Temporal keeps its state. */
export const temporalFolder = (dataDir: string): string => path.join(dataDir, 'temporal');

/** Remembers what runs, so that a later start can end what a killed one left behind. */
export function recordProcesses(dataDir: string, running: ReadonlyMap<string, Running>): void {
  if (running.size === 0) return rmSync(recordFile(dataDir), { force: true });
  const lines = [...running].map(([name, { pid }]) => ({ name, pid, identity: processIdentity(pid) }));
  writeFileSync(recordFile(dataDir), JSON.stringify(lines));
}

/** Ends every process that an earlier start left behind, the ones with work in hand first. */
export async function stopLeftovers(config: Config, say: (line: string) => void): Promise<void> {
  const { dataDir } = config;
  for (const { name, pid } of liveLeftovers(dataDir)) {
    if (name === 'postgres' || name === 'temporal') continue;
    await stopProcess(pid, [
      ['SIGTERM', config.shutdownGraceMs],
      ['SIGKILL', 5000],
    ]);
    say(`stopped ${name} left by an earlier run (process ${String(pid)})`);
  }
  if (config.temporalAddress === undefined && (await stopOrphanDevServer(temporalFolder(dataDir)))) {
    say('stopped Temporal left by an earlier run');
  }
  if (config.databaseUrl === undefined && (await stopOrphanPostgres(dataDir)))
    say('stopped Postgres left by an earlier run');
}

function liveLeftovers(dataDir: string): z.infer<typeof Recorded> {
  const text = readIfPresent(recordFile(dataDir));
  if (text === undefined) return [];
  try {
    return Recorded.parse(JSON.parse(text)).filter(
      ({ pid, identity }) => identity !== undefined && processIdentity(pid) === identity,
    );
  } catch {
    return [];
  }
}
