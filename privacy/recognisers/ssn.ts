import type { Recogniser } from './recogniser.ts';

// Never issued: area 000, 666 and 900 to 999, group 00, serial 0000. Written without separators it is any number.
const NUMBER = /(?<!\w-?)(?!000|666|9)\d{3}([- ])(?!00)\d{2}\1(?!0000)\d{4}(?!-?\w)/g;

/** US social security numbers in their written form, e.g. 536-22-8145. */
export const ssn: Recogniser = {
  type: 'ssn',
  checked: false,
  find: (text) =>
    [...text.matchAll(NUMBER)].map(({ 0: value, index }) => ({
      type: 'ssn',
      start: index,
      end: index + value.length,
      value,
    })),
};
