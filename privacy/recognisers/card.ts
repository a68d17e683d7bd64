import validator from 'validator';

import type { Recogniser, Span } from './recogniser.ts';

// Not inside words, fractions or international telephone numbers.
const DIGITS = /(?<![A-Za-z0-9_+]|\d[.,])\d(?:[ -]?\d){12,}(?![A-Za-z_])/g;

interface Group {
  readonly start: number;
  readonly end: number;
}

const groupsOf = (run: string): Group[] =>
  [...run.matchAll(/\d+/g)].map(({ index, 0: digits }) => ({ start: index, end: index + digits.length }));

/** 13 to 19 digits that no issuer starts with 0 or 1: those are times in milli- or microseconds, and serial numbers. */
const isCardNumber = (digits: string): boolean => /^[2-9]\d{12,18}$/.test(digits) && validator.isLuhnNumber(digits);

/** Cards are printed in groups of three to seven digits, or in one; a UUID's groups are longer or mixed. */
const fits = ({ start, end }: Group, alone: boolean): boolean => alone || (end - start >= 3 && end - start <= 7);

/** End of the longest card number that starts with a group. */
function longestFrom(run: string, groups: readonly Group[], first: number): Group | undefined {
  const start = groups[first]?.start ?? 0;
  let longest: Group | undefined;
  for (let last = first; last < groups.length && last < first + 6; last += 1) {
    const group = groups[last];
    if (!group || !fits(group, last === first)) break;
    if (isCardNumber(run.slice(start, group.end).replaceAll(/\D/g, ''))) longest = { start, end: group.end };
    if (!fits(group, false)) break;
  }
  return longest;
}

function cardsIn(run: string, offset: number): Span[] {
  const groups = groupsOf(run);
  const spans: Span[] = [];
  for (let first = 0; first < groups.length; first += 1) {
    const card = longestFrom(run, groups, first);
    if (!card) continue;
    spans.push({
      type: 'card',
      start: offset + card.start,
      end: offset + card.end,
      value: run.slice(card.start, card.end),
    });
    while ((groups[first + 1]?.start ?? Infinity) < card.end) first += 1;
  }
  return spans;
}

/** Payment card numbers, with or without spaces or dashes, that pass Luhn's check. */
export const card: Recogniser = {
  type: 'card',
  checked: true,
  find: (text) => [...text.matchAll(DIGITS)].flatMap((match) => cardsIn(match[0], match.index)),
};
