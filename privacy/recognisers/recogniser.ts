import type { EntityType } from '../../contracts/principal.ts';

/** A personal value in a text: `text.slice(start, end) === value`. */
export interface Span {
  readonly type: EntityType;
  readonly start: number;
  readonly end: number;
  readonly value: string;
}

/** Finds one kind of personal value; takes time in proportion to the text, whatever the text is. */
export interface Recogniser {
  readonly type: EntityType;
  /** Whether a checksum proves each match; such a match wins over one that only looks right. */
  readonly checked: boolean;
  find(text: string): Span[];
}
