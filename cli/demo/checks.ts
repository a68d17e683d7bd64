/** One thing that was looked at from the outside. */
export interface Check {
  readonly scenario: string;
  /** The requirement it shows, e.g. APPR-6. */
  readonly requirement: string;
  readonly title: string;
  readonly ok: boolean;
  /** What was seen. */
  readonly seen: string;
}

/** Collects what was checked; nothing is thrown, so that one fault does not hide the next. */
export class Checks {
  readonly all: Check[] = [];

  add(check: Check): void {
    this.all.push(check);
  }

  get failed(): readonly Check[] {
    return this.all.filter(({ ok }) => !ok);
  }
}

/** The checks as a table for people. */
export function tableOf(checks: readonly Check[]): string[] {
  const rows = checks.map(({ ok, scenario, requirement, title, seen }) => [
    ok ? '✓' : '✗',
    scenario,
    requirement,
    title,
    seen,
  ]);
  const all = [['', 'scenario', 'requirement', 'what', 'seen from the outside'], ...rows];
  const widths = [0, 1, 2, 3].map((column) => Math.max(...all.map((row) => row[column]?.length ?? 0)));
  return all.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}
