import { findPhoneNumbersInText } from 'libphonenumber-js/max';

import type { Recogniser, Span } from './recogniser.ts';

// Numbers in the American shape whose area code is not in use, as in examples: (555) 123-4567.
const AMERICAN = /(?<![\w+-])(?:\+?1[-. ])?(?:\([2-9]\d{2}\) ?|[2-9]\d{2}[-.])\d{3}[-.]\d{4}(?!\w|-\w)/g;
const AMOUNT = /^\d{1,3}(?:[ .,]\d{3})+$/;
const SEPARATED = /\d[ .()/-]+\d/;

/** Bare digits are ids, amounts or times far more often than telephone numbers. */
function looksLikePhone({ value, start, end }: Span, text: string): boolean {
  if (/\w/.test(text.charAt(end))) return false;
  if (value.startsWith('+')) return true;
  if (/[\w$€£#]/.test(text.charAt(start - 1)) || /\w-$/.test(text.slice(Math.max(0, start - 2), start))) return false;
  return SEPARATED.test(value) && !AMOUNT.test(value);
}

const spanOf = (text: string, start: number, end: number): Span => ({
  type: 'phone',
  start,
  end,
  value: text.slice(start, end),
});

/** Telephone numbers: of any country with +, of the USA without. */
export const phone: Recogniser = {
  type: 'phone',
  checked: false,
  find(text) {
    const known = findPhoneNumbersInText(text, 'US').map(({ startsAt, endsAt }) => spanOf(text, startsAt, endsAt));
    const shaped = [...text.matchAll(AMERICAN)].map((match) =>
      spanOf(text, match.index, match.index + match[0].length),
    );
    return [...known.filter((span) => looksLikePhone(span, text)), ...shaped];
  },
};
