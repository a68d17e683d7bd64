/** What a spreadsheet takes for the beginning of a formula (OWASP, CSV injection). */
const FORMULA = /^[=+\-@\t\r]/;

/** A text as a cell of a CSV file that no spreadsheet runs: a formula is shown, by the quote before it. */
export function csvCell(text: string | null): string {
  const safe = FORMULA.test(text ?? '') ? `'${text ?? ''}` : (text ?? '');
  return /[",\r\n]/.test(safe) || safe !== safe.trim() ? `"${safe.replaceAll('"', '""')}"` : safe;
}
