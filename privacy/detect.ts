import { findPseudonyms } from './pseudonyms.ts';
import { card } from './recognisers/card.ts';
import { email } from './recognisers/email.ts';
import { iban } from './recognisers/iban.ts';
import { phone } from './recognisers/phone.ts';
import type { Recogniser, Span } from './recognisers/recogniser.ts';
import { ssn } from './recognisers/ssn.ts';

const RECOGNISERS: readonly Recogniser[] = [iban, card, ssn, email, phone];

interface Range {
  readonly start: number;
  readonly end: number;
}

/** What lies between spans that do not overlap and are in order. */
function gapsBetween(whole: Range, spans: readonly Range[]): Range[] {
  const starts = [whole.start, ...spans.map(({ end }) => end)];
  const ends = [...spans.map(({ start }) => start), whole.end];
  return starts.map((start, index) => ({ start, end: ends[index] ?? start })).filter(({ start, end }) => end > start);
}

/** Matches in a part of a text; of those that overlap the checked wins, then the longer, then the first. */
function winners(text: string, { start: offset, end }: Range): Span[] {
  const part = text.slice(offset, end);
  if (!/[@\d]/.test(part)) return [];
  const all = RECOGNISERS.flatMap((recogniser) =>
    recogniser.find(part).map((span) => ({ checked: recogniser.checked, span })),
  );
  all.sort((a, b) => Number(b.checked) - Number(a.checked) || b.span.end - b.span.start - (a.span.end - a.span.start));
  const taken = new Uint8Array(part.length);
  const free = all.filter(({ span }) => {
    if (taken.subarray(span.start, span.end).includes(1)) return false;
    taken.fill(1, span.start, span.end);
    return true;
  });
  return free
    .map(({ span }) => ({ ...span, start: span.start + offset, end: span.end + offset }))
    .sort((a, b) => a.start - b.start);
}

/**
 * Personal values in a text, in order and without overlaps, never within our own pseudonyms. What lies between matches is
 * searched again on its own, as it will be once they are pseudonyms: so masking what is masked finds nothing.
 */
export function detect(text: string): Span[] {
  const found: Span[] = [];
  let gaps = gapsBetween({ start: 0, end: text.length }, findPseudonyms(text));
  while (gaps.length > 0) {
    gaps = gaps.flatMap((gap) => {
      const spans = winners(text, gap);
      for (const span of spans) found.push(span);
      return spans.length > 0 ? gapsBetween(gap, spans) : [];
    });
  }
  return found.sort((a, b) => a.start - b.start);
}
