import { managerChain } from './manager-chain.ts';
import type { ChartFault, ChartRow, OrgChart, Person } from './person.ts';

type Column = 'user_id' | 'email';

/** Rows by a column that must be unique; later rows with the same value are faults. */
function indexBy(rows: readonly ChartRow[], column: Column, faults: ChartFault[]): Map<string, ChartRow> {
  const index = new Map<string, ChartRow>();
  for (const entry of rows) {
    const value = entry.person[column];
    const earlier = index.get(value);
    if (!earlier) index.set(value, entry);
    else faults.push({ row: entry.row, column, message: `is the same as in row ${String(earlier.row)}: ${value}` });
  }
  return index;
}

/** The managers of rows, found by id or e-mail. */
function linkManagers(rows: readonly ChartRow[], complete: boolean, faults: ChartFault[]): ChartRow[] {
  const byId = indexBy(rows, 'user_id', faults);
  const byEmail = indexBy(rows, 'email', faults);
  return rows.map(({ row, person }) => {
    const { reports_to_id, manager_email } = person;
    const named = manager_email === null ? undefined : byEmail.get(manager_email)?.person.user_id;
    const fault = (column: keyof Person, message: string): unknown => faults.push({ row, column, message });
    // Where other rows could not be read, a reference may well be to one of those.
    if (complete && reports_to_id !== null && !byId.has(reports_to_id)) {
      fault('reports_to_id', `names nobody of this file: ${reports_to_id}`);
    }
    if (complete && manager_email !== null && named === undefined) {
      fault('manager_email', `names nobody of this file: ${manager_email}`);
    }
    if (named !== undefined && reports_to_id !== null && named !== reports_to_id) {
      fault('manager_email', `is not the e-mail of ${reports_to_id}, whom reports_to_id names`);
    }
    return { row, person: { ...person, reports_to_id: reports_to_id ?? named ?? null } };
  });
}

/** Circles among managers; each person is walked over once. */
function circles(ids: Iterable<string>, managerOf: (id: string) => string | null): string[][] {
  const done = new Set<string>();
  const found: string[][] = [];
  for (const start of ids) {
    if (done.has(start)) continue;
    const path = [start, ...managerChain((id) => (done.has(id) ? null : managerOf(id)), start)];
    const again = path.indexOf(managerOf(path.at(-1) ?? start) ?? '');
    if (again >= 0) found.push(path.slice(again));
    for (const id of path) done.add(id);
  }
  return found;
}

/** One fault for each person that is, over others or at once, their own manager. */
function circleFaults(rows: readonly ChartRow[]): ChartFault[] {
  const byId = new Map(rows.map((entry) => [entry.person.user_id, entry]));
  const found = circles(byId.keys(), (id) => byId.get(id)?.person.reports_to_id ?? null);
  return found.flatMap((circle) => {
    const more = circle.length > 6 ? ' → …' : '';
    const message = `makes people their own managers: ${circle.slice(0, 6).join(' → ')}${more} → ${circle[0] ?? ''}`;
    const members = circle.flatMap((id) => byId.get(id) ?? []);
    return members.map(({ row }) => ({ row, column: 'reports_to_id', message }));
  });
}

/** Checks what rows say of each other: unique ids and e-mails, known managers, no circles. */
export function checkReferences(rows: readonly ChartRow[], complete: boolean): OrgChart {
  const faults: ChartFault[] = [];
  const linked = linkManagers(rows, complete, faults);
  return { people: linked.map(({ person }) => person), faults: [...faults, ...circleFaults(linked)] };
}
