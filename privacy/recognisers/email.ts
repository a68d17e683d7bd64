import validator from 'validator';

import type { Recogniser, Span } from './recogniser.ts';

// Starts at the @ and looks back from there, so text without one costs nothing; every repetition is bounded.
const ADDRESS =
  /@(?<=(?<local>[\p{L}\p{N}_%+'.-]{1,64})@)(?<domain>(?:[\p{L}\p{N}-]{1,63}\.){1,8}[\p{L}\p{N}-]{2,63})/gu;

/** Shortens the domain until the address is valid, e.g. where a dash follows it. */
function longestValid(local: string, domain: string): string | undefined {
  for (
    let end = domain.length;
    end > 0;
    end = Math.max(domain.lastIndexOf('.', end - 1), domain.lastIndexOf('-', end - 1))
  ) {
    const address = `${local}@${domain.slice(0, end)}`;
    if (validator.isEmail(address)) return address;
  }
  return undefined;
}

function spanAt(match: RegExpMatchArray): Span[] {
  const { local: before = '', domain = '' } = match.groups ?? {};
  const local = before.replace(/^[^\p{L}\p{N}_]+/u, '');
  const value = longestValid(local, domain);
  const start = (match.index ?? 0) - local.length;
  return value === undefined ? [] : [{ type: 'email', start, end: start + value.length, value }];
}

/** E-mail addresses, international ones too. */
export const email: Recogniser = {
  type: 'email',
  checked: false,
  find: (text) => [...text.matchAll(ADDRESS)].flatMap(spanAt),
};
