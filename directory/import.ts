import type { ChangedBy } from '../db/people/apply.ts';
import type { StagedPerson } from '../db/people/stage.ts';
import type { Database } from '../db/pool.ts';
import { changeDirectory } from './change.ts';
import type { Changed } from './change.ts';
import { readOrgChart } from './org-chart.ts';
import { References } from './org-references.ts';
import type { ChartFault, Person } from './person.ts';

/** A file that can be read again from its beginning. */
export interface ChartSource {
  read(): AsyncIterable<Buffer> | Iterable<Buffer>;
}

/** Faults that are told; the others are counted. */
export const MOST_FAULTS = 1_000;
/** More people than the largest organisation that this is made for; the references of so many stay in memory. */
export const MOST_PEOPLE = 200_000;
const LOT = 1_000;

/** What is wrong with a file, as far as it is told, and how much there is. */
export interface Faults {
  readonly faults: readonly ChartFault[];
  readonly count: number;
}

/** A file without faults: its columns, and who manages whom. */
export interface CheckedChart {
  readonly columns: readonly string[];
  readonly references: References;
}

class FaultList {
  private readonly kept: ChartFault[] = [];
  count = 0;

  add(faults: readonly ChartFault[]): void {
    this.count += faults.length;
    if (this.kept.length < MOST_FAULTS) this.kept.push(...faults.slice(0, MOST_FAULTS - this.kept.length));
  }

  get told(): Faults {
    return { faults: this.kept.sort((a, b) => a.row - b.row), count: this.count };
  }
}

/** Reads a file wholly and checks it as a whole; keeps no row of it. */
export async function checkChart(source: ChartSource): Promise<CheckedChart | Faults> {
  const list = new FaultList();
  const references = new References();
  let columns: readonly string[] = [];
  let people = 0;
  for await (const item of readOrgChart(source.read())) {
    if ('header' in item) columns = item.header;
    else if ('faults' in item) list.add(item.faults);
    else if (people < MOST_PEOPLE) {
      people += 1;
      references.add(item);
    } else {
      list.add([{ row: item.row, column: null, message: `is more than the ${String(MOST_PEOPLE)} people allowed` }]);
      break;
    }
  }
  if (columns.length > 0 && people === 0 && list.count === 0)
    list.add([{ row: 2, column: null, message: 'is missing: the file names nobody' }]);
  list.add(references.check(list.count === 0));
  return list.count > 0 ? list.told : { columns, references };
}

/** A row as somebody to be; optional columns that the file has not leave what is there. */
function staged(person: Person, { columns, references }: CheckedChart): StagedPerson {
  const { user_id, name, email, role, department, title, locale, status } = person;
  return {
    user_id: null,
    external_id: user_id,
    name,
    email,
    role,
    department,
    active: status === 'active',
    enabled: status === 'active',
    awaits_role: false,
    deprovisioned: false,
    manager_id: null,
    manager_key: references.managerOf(person),
    ...(columns.includes('title') && { title }),
    ...(columns.includes('locale') && { locale }),
  };
}

async function* lotsOf(source: ChartSource, chart: CheckedChart): AsyncGenerator<StagedPerson[]> {
  let lot: StagedPerson[] = [];
  for await (const item of readOrgChart(source.read())) {
    if (!('person' in item)) continue;
    lot.push(staged(item.person, chart));
    if (lot.length < LOT) continue;
    yield lot;
    lot = [];
  }
  if (lot.length > 0) yield lot;
}

export interface ImportOptions {
  readonly organisationId: string;
  readonly by: ChangedBy;
  readonly dryRun: boolean;
  readonly confirmed: boolean;
  /** Lines of the diff that are wanted. */
  readonly lines: number;
  /** Called in the transaction, once everything is written. */
  readonly finish?: (sql: Parameters<typeof changeDirectory>[0], changed: Changed) => Promise<unknown>;
}

class RolledBack extends Error {
  readonly changed: Changed;
  constructor(changed: Changed) {
    super('rolled back');
    this.changed = changed;
  }
}

/** Makes the organisation what the file says, all of it or nothing. Throws DirectoryRefusal. */
export async function importChart(
  database: Database,
  source: ChartSource,
  chart: CheckedChart,
  { organisationId, by, dryRun, confirmed, lines, finish }: ImportOptions,
): Promise<Changed> {
  try {
    return await database.transaction(organisationId, async (sql) => {
      const people = lotsOf(source, chart);
      const changed = await changeDirectory(sql, { people, whole: true, by, wait: false, dryRun, confirmed, lines });
      if (dryRun) throw new RolledBack(changed);
      await finish?.(sql, changed);
      return changed;
    });
  } catch (error) {
    if (error instanceof RolledBack) return error.changed;
    throw error;
  }
}
