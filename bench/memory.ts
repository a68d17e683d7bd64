import { readFileSync } from 'node:fs';

/** Mebibytes that a process holds in memory now, and held at most. */
export function memoryOf(pid: number): { readonly now: number; readonly peak: number } {
  const status = readFileSync(`/proc/${String(pid)}/status`, 'utf8');
  return { now: field(status, 'VmRSS'), peak: field(status, 'VmHWM') };
}

/** Mebibytes of a process where what it shares is divided by who shares it; 0 for one that has ended. */
export function proportionalMemoryOf(pid: number): number {
  try {
    return field(readFileSync(`/proc/${String(pid)}/smaps_rollup`, 'utf8'), 'Pss');
  } catch {
    return 0;
  }
}

const field = (text: string, name: string): number =>
  Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(text)?.[1] ?? 0) / 1024;
