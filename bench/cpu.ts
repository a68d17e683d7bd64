import { readdirSync, readFileSync } from 'node:fs';

const TICK_MS = 10;

interface Stat {
  readonly parent: number;
  readonly ms: number;
}

function statOf(pid: number): Stat | undefined {
  try {
    const stat = readFileSync(`/proc/${String(pid)}/stat`, 'utf8');
    const fields = stat
      .slice(stat.lastIndexOf(')') + 2)
      .split(' ')
      .map(Number);
    // utime, stime and those of children that ended (proc(5), fields 14 to 17).
    const ticks = fields.slice(11, 15).reduce((sum, value) => sum + value, 0);
    return { parent: fields[1] ?? 0, ms: ticks * TICK_MS };
  } catch {
    return undefined;
  }
}

/** CPU milliseconds that each process and what it started have used so far. */
export function cpuOf(pids: Readonly<Record<string, number>>): Record<string, number> {
  const numbers = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  const stats = new Map(numbers.map((name) => [Number(name), statOf(Number(name))]));
  const total = (pid: number): number =>
    [...stats].reduce(
      (sum, [child, stat]) => (stat?.parent === pid ? sum + total(child) : sum),
      stats.get(pid)?.ms ?? 0,
    );
  return Object.fromEntries(Object.entries(pids).map(([name, pid]) => [name, total(pid)]));
}
