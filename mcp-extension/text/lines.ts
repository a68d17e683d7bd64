import type { MaskedSummary } from '../../contracts/content.ts';

const LONGEST_VALUE = 12_000;

/** Joins what there is to say, one line each; null, undefined and false say nothing. */
export const lines = (...parts: readonly (string | null | undefined | false)[]): string =>
  parts.filter((part): part is string => typeof part === 'string' && part !== '').join('\n');

/** `**Name:** value`, or nothing where there is no value. */
export const field = (name: string, value: string | number | null | undefined): string | undefined =>
  value === null || value === undefined || value === '' ? undefined : `**${name}:** ${String(value)}`;

/** A JSON value after its name, cut where it is very long. */
export function value(name: string, json: unknown, longest = LONGEST_VALUE): string | undefined {
  if (json === null || json === undefined) return undefined;
  const text = typeof json === 'string' ? json : JSON.stringify(json, null, 2);
  const cut = text.length > longest;
  const shown = cut
    ? `${text.slice(0, longest)} … (${String(text.length)} characters; all of it in the structured result)`
    : text;
  return `**${name}:** ${shown.includes('\n') ? `\n${shown}` : shown}`;
}

/** What was masked, in words. */
export function masked(summary: MaskedSummary): string {
  if (summary.length === 0) return '**Masked:** nothing';
  const counts = summary.map(({ type, count }) => `${String(count)} × ${type}`).join(', ');
  const hidden = summary.filter((entry) => !entry.visible_to_receiver).map(({ type }) => type);
  return `**Masked:** ${counts}${hidden.length > 0 ? ` (not shown to the receiver: ${hidden.join(', ')})` : ''}`;
}

/** A list under a heading, or one line that says it is empty. */
export const list = (heading: string, items: readonly string[], empty: string): string =>
  items.length === 0 ? empty : [heading, ...items.map((item) => `- ${item}`)].join('\n');
