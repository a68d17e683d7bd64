import { z } from 'zod';

const UNITS = { s: 1, m: 60, h: 3_600, d: 86_400 } as const;

/** Seconds of a duration such as `90s`, `15m`, `4h`, `2d`. */
export function durationSeconds(text: string): number {
  const unit = text.slice(-1) as keyof typeof UNITS;
  return Number(text.slice(0, -1)) * UNITS[unit];
}

/** Whole numbers from 1 to the largest, as a regular expression: JSON Schema has no other way to say it of a text. */
function upTo(largest: number): string {
  const digits = Array.from(String(largest), Number);
  const less = digits.flatMap((digit, at) => {
    const lowest = at === 0 ? 1 : 0;
    const rest = digits.length - at - 1;
    const start = digits.slice(0, at).join('');
    return digit > lowest ? [`${start}[${String(lowest)}-${String(digit - 1)}]\\d{${String(rest)}}`] : [];
  });
  return [`[1-9]\\d{0,${String(digits.length - 2)}}`, ...less, String(largest)].join('|');
}
const EXACT = `^(${Object.entries(UNITS)
  .map(([unit, seconds]) => `(${upTo((365 * 86_400) / seconds)})${unit}`)
  .join('|')})$`;

/** A duration of one second to 365 days, written as a whole number with its unit. */
export const Duration = z
  .string()
  .regex(/^[1-9]\d{0,7}[smhd]$/, 'must be a whole number with a unit s, m, h or d, e.g. 30s, 15m, 4h, 2d')
  .refine((text) => durationSeconds(text) <= 365 * 86_400, { error: 'must be at most 365d' })
  .meta({ pattern: EXACT })
  .describe('A duration: whole number and unit, e.g. 30s, 15m, 4h, 2d');

/** RFC 3339 time in UTC. */
export const Timestamp = z.iso
  .datetime()
  .regex(/^(19[7-9]\d|[2-9]\d{3})-/, 'must lie in the years 1970 to 9999')
  .describe('RFC 3339 time in UTC');
