import { z } from 'zod';

const UNITS = { s: 1, m: 60, h: 3_600, d: 86_400 } as const;

/** Seconds of a duration such as `90s`, `15m`, `4h`, `2d`. */
export function durationSeconds(text: string): number {
  const unit = text.slice(-1) as keyof typeof UNITS;
  return Number(text.slice(0, -1)) * UNITS[unit];
}

/** A duration of one second to 365 days, written as a whole number with its unit. */
export const Duration = z
  .string()
  .regex(/^[1-9]\d{0,7}[smhd]$/, 'must be a whole number with a unit s, m, h or d, e.g. 30s, 15m, 4h, 2d')
  .refine((text) => durationSeconds(text) <= 365 * 86_400, { error: 'must be at most 365d' })
  .describe('A duration: whole number and unit, e.g. 30s, 15m, 4h, 2d');

/** RFC 3339 time in UTC. */
export const Timestamp = z.iso
  .datetime()
  .regex(/^(19[7-9]\d|[2-9]\d{3})-/, 'must lie in the years 1970 to 9999')
  .describe('RFC 3339 time in UTC');
