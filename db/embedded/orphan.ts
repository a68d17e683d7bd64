import { rmSync } from 'node:fs';
import path from 'node:path';

import { readIfPresent } from '../../platform/files.ts';
import { commandLine, isAlive } from '../../platform/process-info.ts';
import { stopProcess } from '../../platform/stop-process.ts';

/** Stops a server that outlived the process that started it; answers its process id where there was one. */
export async function stopOrphan(cluster: string): Promise<number | undefined> {
  const file = path.join(cluster, 'postmaster.pid');
  const pid = Number(readIfPresent(file)?.split('\n')[0]);
  if (!Number.isInteger(pid) || pid <= 0) return undefined;
  // Another program may run under that number by now: only one that names our folder is the server.
  if (!isAlive(pid) || commandLine(pid)?.includes(cluster) !== true) {
    rmSync(file, { force: true });
    return undefined;
  }
  await stopProcess(pid, [
    ['SIGINT', 15_000],
    ['SIGQUIT', 5000],
    ['SIGKILL', 5000],
  ]);
  return pid;
}
