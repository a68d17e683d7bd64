import { statFields } from '../platform/process-info.ts';
import { processTree } from '../platform/process-tree.ts';

const TICK_MS = 10;

/** CPU milliseconds of a process and of those children that have ended (proc(5), fields 14 to 17). */
const cpuOfOne = (pid: number): number =>
  (statFields(pid)?.slice(11, 15) ?? []).reduce((sum, ticks) => sum + Number(ticks) * TICK_MS, 0);

/** CPU milliseconds that each process and what it started have used so far. */
export const cpuOf = (pids: Readonly<Record<string, number>>): Record<string, number> =>
  Object.fromEntries(
    Object.entries(pids).map(([name, pid]) => [name, processTree(pid).reduce((sum, one) => sum + cpuOfOne(one), 0)]),
  );
