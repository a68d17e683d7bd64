import test from 'ava';
import fc from 'fast-check';

import { ENTITY_TYPES } from '../../../contracts/principal.ts';
import { findPseudonyms, pseudonymOf } from '../../../privacy/pseudonyms.ts';

const KEY = Buffer.alloc(32, 7);
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const found = (text: string): string[] => findPseudonyms(text).map(({ value }) => value);

test('GUARD-4: a pseudonym is readable, of fixed width, deterministic and keyed', (t) => {
  const pseudonym = pseudonymOf(KEY, 'email', 'ada@example.com');
  t.regex(pseudonym, /^Email-[0-9A-HJKMNP-TV-Z]{10}$/);
  t.is(pseudonymOf(KEY, 'email', 'ada@example.com'), pseudonym);
  t.not(pseudonymOf(Buffer.alloc(32, 8), 'email', 'ada@example.com'), pseudonym);
  t.not(pseudonymOf(KEY, 'email', 'ada@example.com', 1), pseudonym);
});

test('GUARD-4: every wrong character, swap of neighbours and wrong type is noticed', (t) => {
  const code = pseudonymOf(KEY, 'iban', 'DE89370400440532013000').slice('Iban-'.length);
  for (let at = 0; at < code.length; at += 1) {
    for (const char of ALPHABET) {
      const damaged = `${code.slice(0, at)}${char}${code.slice(at + 1)}`;
      if (damaged !== code) t.deepEqual(found(`Iban-${damaged}`), []);
    }
    const swapped = `${code.slice(0, at)}${code.charAt(at + 1)}${code.charAt(at)}${code.slice(at + 2)}`;
    if (swapped !== code) t.deepEqual(found(`Iban-${swapped}`), []);
  }
  t.deepEqual(found(`Email-${code}`), []);
});

test('GUARD-4: pseudonyms are found whatever stands beside them', (t) => {
  const type = fc.constantFrom(...ENTITY_TYPES);
  const around = fc.stringMatching(/^(Email-|Ssn-)?[0-9A-Za-z-]{0,9}$/);
  fc.assert(
    fc.property(type, fc.string(), around, type, fc.string(), (one, first, between, other, second) => {
      const [a, b] = [pseudonymOf(KEY, one, first), pseudonymOf(KEY, other, second)];
      t.true(found(`${between}${a}${between}${b}${between}`).filter((value) => value === a || value === b).length >= 2);
    }),
  );
});
