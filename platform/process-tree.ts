import { readdirSync } from 'node:fs';

import { statFields } from './process-info.ts';

/** Every process that descends from one, also those in process groups of their own; Linux only. */
export function descendants(pid: number): number[] {
  const pids = readdirSync('/proc').map(Number).filter(Number.isInteger);
  const parents = new Map(pids.map((one) => [one, Number(statFields(one)?.[1])]));
  const children = (of: number): number[] =>
    [...parents].filter(([, parent]) => parent === of).flatMap(([child]) => [child, ...children(child)]);
  return children(pid);
}

/** A process and every one that descends from it. */
export const processTree = (pid: number): number[] => [pid, ...descendants(pid)];
