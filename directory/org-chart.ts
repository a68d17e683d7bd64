import { CsvError, parse } from 'csv-parse/sync';

import { checkReferences } from './org-references.ts';
import { COLUMNS, Person, REQUIRED_COLUMNS } from './person.ts';
import type { ChartFault, ChartRow, OrgChart } from './person.ts';

interface CsvRecord {
  readonly record: readonly string[];
  readonly info: { readonly lines: number };
}

const OPTIONS = { bom: true, trim: true, info: true, relax_column_count: true, skip_empty_lines: true } as const;

function readRecords(csv: string | Buffer): CsvRecord[] | ChartFault {
  try {
    return parse(csv, OPTIONS) as unknown as CsvRecord[];
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    return { row: Number(error['lines'] ?? 1), column: null, message: `is not CSV: ${error.message}` };
  }
}

function headerFaults(header: readonly string[]): ChartFault[] {
  const fault = (column: string, message: string): ChartFault => ({ row: 1, column, message });
  const known: readonly string[] = COLUMNS;
  return [
    ...REQUIRED_COLUMNS.filter((column) => !header.includes(column)).map((column) => fault(column, 'is missing')),
    ...header.filter((column) => !known.includes(column)).map((column) => fault(column, 'is not a known column')),
    ...header.filter((column, at) => header.indexOf(column) < at).map((column) => fault(column, 'is there twice')),
  ];
}

function readRow(header: readonly string[], { record, info }: CsvRecord): ChartRow | ChartFault[] {
  const row = info.lines;
  if (record.length !== header.length) {
    const message = `has ${String(record.length)} fields; the header has ${String(header.length)}`;
    return [{ row, column: null, message }];
  }
  const parsed = Person.safeParse(Object.fromEntries(header.map((column, at) => [column, record[at]])));
  if (parsed.success) return { row, person: parsed.data };
  return parsed.error.issues.map((issue) => ({ row, column: String(issue.path[0]), message: deepestMessage(issue) }));
}

/** A union says only that nothing fits; its last option says what would. */
function deepestMessage(issue: { readonly message: string; readonly errors?: unknown }): string {
  const branches = (issue.errors ?? []) as readonly (readonly { readonly message: string }[])[];
  return branches.at(-1)?.at(0)?.message ?? issue.message;
}

/**
 * Reads an org chart (CSV, UTF-8): header `user_id,reports_to_id,name,role,email,department` and, if wanted, `title`,
 * `locale`, `status`, `manager_email`; rows and columns in any order. It is checked as a whole, so that every fault is
 * told at once. Managers given by e-mail come out as `reports_to_id`.
 */
export function parseOrgChart(csv: string | Buffer): OrgChart {
  const records = readRecords(csv);
  if ('message' in records) return { people: [], faults: [records] };
  const [first, ...rest] = records;
  if (!first) return { people: [], faults: [{ row: 1, column: null, message: 'is missing: the file is empty' }] };
  const header = first.record.map((column) => column.toLowerCase());
  const wrongHeader = headerFaults(header);
  if (wrongHeader.length > 0) return { people: [], faults: wrongHeader };
  const read = rest.map((record) => readRow(header, record));
  const rows = read.flatMap((row) => ('person' in row ? [row] : []));
  const rowFaults = read.flatMap((row) => ('person' in row ? [] : row));
  const { people, faults } = checkReferences(rows, rowFaults.length === 0);
  return { people, faults: [...rowFaults, ...faults].sort((a, b) => a.row - b.row) };
}
