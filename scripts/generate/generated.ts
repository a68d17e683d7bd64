/** A file, or a marked part of one, that is computed from the code. */
export interface Generated {
  /** From the root of the project. */
  readonly file: string;
  /** The whole text the file should have; `present` is what it has now, undefined where it is missing. */
  readonly text: (present: string | undefined) => Promise<string>;
}

const MARKS = { begin: '<!-- generated: begin -->', end: '<!-- generated: end -->' } as const;

/** Puts a generated part between the marks of a file that is otherwise written by hand. */
export function between(present: string | undefined, part: string, file: string): string {
  const begin = present?.indexOf(MARKS.begin) ?? -1;
  const end = present?.indexOf(MARKS.end) ?? -1;
  if (present === undefined || begin < 0 || end < begin)
    throw new Error(`${file} needs the lines ${MARKS.begin} and ${MARKS.end}, in this order.`);
  return `${present.slice(0, begin + MARKS.begin.length)}\n\n${part}\n\n${present.slice(end)}`;
}

/** A text as a cell of a Markdown table. */
export const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('\n', ' ');

/** A Markdown table. */
export const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [head, head.map(() => '---'), ...rows].map((row) => `| ${row.map(cell).join(' | ')} |`).join('\n');
