import { managerChain } from './manager-chain.ts';
import type { ChartFault, ChartRow, OrgChart, Person } from './person.ts';

/** What is kept of a row to check it against the others: a hundred bytes, however long the row is. */
type Entry = { readonly row: number } & Pick<Person, 'user_id' | 'email' | 'reports_to_id' | 'manager_email'>;

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

/** What rows say of each other: unique ids and e-mails, known managers, no circles. Holds no row as a whole. */
export class References {
  private readonly entries: Entry[] = [];
  private readonly byId = new Map<string, Entry>();
  private readonly byEmail = new Map<string, Entry>();
  private readonly doubles: ChartFault[] = [];

  add({ row, person: { user_id, email, reports_to_id, manager_email } }: ChartRow): void {
    const entry: Entry = { row, user_id, email, reports_to_id, manager_email };
    this.entries.push(entry);
    this.index(this.byId, 'user_id', entry, `: ${user_id}`);
    this.index(this.byEmail, 'email', entry, '');
  }

  /** The manager's id, whichever of the two columns names it. */
  managerOf({ reports_to_id, manager_email }: Pick<Person, 'reports_to_id' | 'manager_email'>): string | null {
    if (reports_to_id !== null || manager_email === null) return reports_to_id;
    return this.byEmail.get(manager_email)?.user_id ?? null;
  }

  /** Every fault; where other rows could not be read, a reference may well be to one of those, and is not a fault. */
  check(complete: boolean): ChartFault[] {
    return [...this.doubles, ...this.entries.flatMap((entry) => this.unknown(entry, complete)), ...this.circleFaults()];
  }

  private index(map: Map<string, Entry>, column: 'user_id' | 'email', entry: Entry, value: string): void {
    const earlier = map.get(entry[column]);
    if (!earlier) map.set(entry[column], entry);
    else this.doubles.push({ row: entry.row, column, message: `is the same as in row ${String(earlier.row)}${value}` });
  }

  private unknown({ row, reports_to_id, manager_email }: Entry, complete: boolean): ChartFault[] {
    const faults: ChartFault[] = [];
    const named = manager_email === null ? undefined : this.byEmail.get(manager_email)?.user_id;
    if (complete && reports_to_id !== null && !this.byId.has(reports_to_id))
      faults.push({ row, column: 'reports_to_id', message: `names nobody of this file: ${reports_to_id}` });
    if (complete && manager_email !== null && named === undefined)
      faults.push({ row, column: 'manager_email', message: 'is the e-mail of nobody in this file' });
    if (named !== undefined && reports_to_id !== null && named !== reports_to_id) {
      const message = `is not the e-mail of ${reports_to_id}, whom reports_to_id names`;
      faults.push({ row, column: 'manager_email', message });
    }
    return faults;
  }

  /** One fault for each person that is, over others or at once, their own manager. */
  private circleFaults(): ChartFault[] {
    const managerOf = (id: string): string | null => {
      const entry = this.byId.get(id);
      return entry ? this.managerOf(entry) : null;
    };
    return circles(this.byId.keys(), managerOf).flatMap((circle) => {
      const more = circle.length > 6 ? ' → …' : '';
      const message = `makes people their own managers: ${circle.slice(0, 6).join(' → ')}${more} → ${circle[0] ?? ''}`;
      return circle.flatMap((id) => {
        const row = this.byId.get(id)?.row;
        return row === undefined ? [] : [{ row, column: 'reports_to_id', message }];
      });
    });
  }
}

/** Checks what the rows of a small chart say of each other, and puts each person's manager in its place. */
export function checkReferences(rows: readonly ChartRow[], complete: boolean): OrgChart {
  const references = new References();
  for (const row of rows) references.add(row);
  const people = rows.map(({ person }) => ({ ...person, reports_to_id: references.managerOf(person) }));
  return { people, faults: references.check(complete) };
}
