import { countrySpecs, isValidIBAN } from 'ibantools';

import type { Recogniser, Span } from './recogniser.ts';

const START = /(?<![A-Za-z0-9])[A-Za-z]{2}\d{2}(?=[ \u00a0-]?[A-Za-z0-9])/g;
const lengths = new Map(Object.entries(countrySpecs).map(([country, { chars }]) => [country, chars ?? 0]));

/** End of as many letters and digits as the country's numbers have, single separators left out; -1 if there are fewer. */
function endAfter(text: string, start: number, length: number): number {
  let end = start;
  for (let seen = 0; seen < length; seen += 1) {
    if (seen > 0 && /[ \u00a0-]/.test(text.charAt(end))) end += 1;
    if (!/[A-Za-z0-9]/.test(text.charAt(end))) return -1;
    end += 1;
  }
  return end;
}

function spanAt(text: string, start: number): Span[] {
  const length = lengths.get(text.slice(start, start + 2).toUpperCase()) ?? 0;
  const end = length === 0 ? -1 : endAfter(text, start, length);
  if (end < 0 || /[A-Za-z0-9]/.test(text.charAt(end))) return [];
  const value = text.slice(start, end);
  const bare = value.replaceAll(/[^A-Za-z0-9]/g, '').toUpperCase();
  return isValidIBAN(bare) ? [{ type: 'iban', start, end, value }] : [];
}

/** International bank account numbers, with or without spaces, that pass their check. */
export const iban: Recogniser = {
  type: 'iban',
  checked: true,
  find: (text) => [...text.matchAll(START)].flatMap((match) => spanAt(text, match.index)),
};
