import { createHmac } from 'node:crypto';

import type { EntityType } from '../contracts/principal.ts';
import type { Span } from './recognisers/recogniser.ts';

// Crockford's base 32: no I, L, O or U to be misread.
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const WORDS: Readonly<Record<EntityType, string>> = {
  email: 'Email',
  phone: 'Phone',
  card: 'Card',
  iban: 'Iban',
  ssn: 'Ssn',
};
const TYPES = new Map(Object.entries(WORDS).map(([type, word]) => [word, type as EntityType]));

// The width is fixed, so no boundaries are needed; but the first letter of a pseudonym that follows must not be taken for the last of this one.
const words = Object.values(WORDS);
const PATTERN = new RegExp(
  `(${words.join('|')})-([${ALPHABET}]{10})(?!(?:${words.map((word) => word.slice(1)).join('|')})-)`,
  'g',
);

/** Checks over GF(32), so that each wrong character and each swap of two is noticed; the type counts too. */
function checkOf(type: EntityType, body: string): string {
  let sum = Object.keys(WORDS).indexOf(type) + 1;
  for (const char of body) {
    sum ^= ALPHABET.indexOf(char);
    sum = (sum << 1) ^ (sum & 16 ? 0b100101 : 0);
  }
  return ALPHABET.charAt(sum);
}

/**
 * The pseudonym of a value, e.g. Email-7K2QF9XAB3: type, 45 bits of a keyed hash, a check character.
 * `attempt` counts up where another value of the tenant already has it.
 */
export function pseudonymOf(key: Buffer, type: EntityType, value: string, attempt = 0): string {
  const hash = createHmac('sha256', key)
    .update(`${type}|${attempt > 0 ? `${String(attempt)}|` : ''}${value}`)
    .digest();
  const body = [...hash.subarray(0, 9)].map((byte) => ALPHABET.charAt(byte & 31)).join('');
  return `${WORDS[type]}-${body}${checkOf(type, body)}`;
}

/** Replaces the pseudonyms of a text; damaged ones are not pseudonyms and stay. */
export function replacePseudonyms(text: string, replace: (pseudonym: string, type: EntityType) => string): string {
  return text.replace(PATTERN, (pseudonym: string, word: string, code: string) => {
    const type = TYPES.get(word);
    return type && checkOf(type, code.slice(0, 9)) === code.slice(9) ? replace(pseudonym, type) : pseudonym;
  });
}

/** The undamaged pseudonyms in a text, in order. */
export function findPseudonyms(text: string): Span[] {
  return [...text.matchAll(PATTERN)].flatMap(({ 0: value, 1: word = '', 2: code = '', index: start }) => {
    const type = TYPES.get(word);
    if (!type || checkOf(type, code.slice(0, 9)) !== code.slice(9)) return [];
    return [{ type, start, end: start + value.length, value }];
  });
}
