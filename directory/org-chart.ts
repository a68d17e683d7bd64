import { CsvError, parse as csvParser } from 'csv-parse';
import { parse } from 'csv-parse/sync';

import { checkReferences } from './org-references.ts';
import { COLUMNS, Person, REQUIRED_COLUMNS } from './person.ts';
import type { ChartFault, ChartRow, OrgChart } from './person.ts';

interface CsvRecord {
  readonly record: readonly string[];
  readonly info: { readonly lines: number };
}

const OPTIONS = {
  bom: true,
  trim: true,
  info: true,
  relax_column_count: true,
  skip_empty_lines: true,
  // A quote that is never closed must not make one record of the rest of the file.
  max_record_size: 16_384,
} as const;

const EMPTY: ChartFault = { row: 1, column: null, message: 'is missing: the file is empty' };

const csvFault = (error: CsvError): ChartFault => ({
  row: Number(error['lines'] ?? 1),
  column: null,
  message: `is not CSV: ${error.code.replaceAll('_', ' ').toLowerCase().replace('csv ', '')}`,
});

function readRecords(csv: string | Buffer): CsvRecord[] | ChartFault {
  try {
    return parse(csv, OPTIONS) as unknown as CsvRecord[];
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    return csvFault(error);
  }
}

function headerFaults(header: readonly string[]): ChartFault[] {
  const fault = (column: string, message: string): ChartFault => ({ row: 1, column, message });
  const known: readonly string[] = COLUMNS;
  return [
    ...REQUIRED_COLUMNS.filter((column) => !header.includes(column)).map((column) => fault(column, 'is missing')),
    ...header
      .filter((column) => !known.includes(column))
      .map((column) => fault(column.slice(0, 60), 'is not a known column')),
    ...header.filter((column, at) => header.indexOf(column) < at).map((column) => fault(column, 'is there twice')),
  ];
}

const headerOf = ({ record }: CsvRecord): string[] => record.map((column) => column.toLowerCase());

function readRow(header: readonly string[], { record, info }: CsvRecord): ChartRow | ChartFault[] {
  const row = info.lines;
  if (record.length !== header.length) {
    const message = `has ${String(record.length)} fields; the header has ${String(header.length)}`;
    return [{ row, column: null, message }];
  }
  const parsed = Person.safeParse(Object.fromEntries(header.map((column, at) => [column, unquoted(record[at])])));
  if (parsed.success) return { row, person: parsed.data };
  return parsed.error.issues.map((issue) => ({ row, column: String(issue.path[0]), message: deepestMessage(issue) }));
}

/** Without the quote that an export puts before what a spreadsheet would run. */
const unquoted = (cell: string | undefined): string | undefined => cell?.replace(/^'(?=[=+\-@])/, '');

/** A union says only that nothing fits; its last option says what would. */
function deepestMessage(issue: { readonly message: string; readonly errors?: unknown }): string {
  const branches = (issue.errors ?? []) as readonly (readonly { readonly message: string }[])[];
  return branches.at(-1)?.at(0)?.message ?? issue.message;
}

/** One thing read of an org chart: its header, a person, or what is wrong with a row. */
export type ChartItem = { readonly header: readonly string[] } | ChartRow | { readonly faults: readonly ChartFault[] };

/** Reads an org chart row by row, in constant memory; ends after a fault behind which nothing can be read. */
export async function* readOrgChart(chunks: Iterable<Buffer> | AsyncIterable<Buffer>): AsyncGenerator<ChartItem> {
  const parser = csvParser(OPTIONS);
  const fed = feed(chunks, parser);
  let header: readonly string[] | undefined;
  try {
    for await (const record of parser as AsyncIterable<CsvRecord>) {
      if (header) {
        const read = readRow(header, record);
        yield 'person' in read ? read : { faults: read };
        continue;
      }
      header = headerOf(record);
      const faults = headerFaults(header);
      yield faults.length > 0 ? { faults } : { header };
      if (faults.length > 0) return;
    }
    if (!header) yield { faults: [EMPTY] };
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    yield { faults: [csvFault(error)] };
  } finally {
    parser.destroy();
    await fed;
  }
}

/** Gives the parser what it takes, and no more; its errors are told to whoever reads from it. */
async function feed(
  chunks: Iterable<Buffer> | AsyncIterable<Buffer>,
  parser: ReturnType<typeof csvParser>,
): Promise<void> {
  try {
    for await (const chunk of chunks) {
      if (parser.destroyed) return;
      if (!parser.write(chunk)) await drainedOrClosed(parser);
    }
    if (!parser.destroyed) parser.end();
  } catch (error) {
    parser.destroy(error instanceof Error ? error : new Error(String(error)));
  }
}

const drainedOrClosed = (parser: ReturnType<typeof csvParser>): Promise<void> =>
  new Promise((resolve) => {
    const done = (): void => {
      parser.off('drain', done).off('close', done);
      resolve();
    };
    if (parser.destroyed) resolve();
    else parser.once('drain', done).once('close', done);
  });

/**
 * Reads a small org chart (CSV, UTF-8) at once: header `user_id,reports_to_id,name,role,email,department` and, if wanted,
 * `title`, `locale`, `status`, `manager_email`; rows and columns in any order. It is checked as a whole, so that every
 * fault is told at once. Managers given by e-mail come out as `reports_to_id`.
 */
export function parseOrgChart(csv: string | Buffer): OrgChart {
  const records = readRecords(csv);
  if ('message' in records) return { people: [], faults: [records] };
  const [first, ...rest] = records;
  if (!first) return { people: [], faults: [EMPTY] };
  const header = headerOf(first);
  const wrongHeader = headerFaults(header);
  if (wrongHeader.length > 0) return { people: [], faults: wrongHeader };
  const read = rest.map((record) => readRow(header, record));
  const rows = read.flatMap((row) => ('person' in row ? [row] : []));
  const rowFaults = read.flatMap((row) => ('person' in row ? [] : row));
  const { people, faults } = checkReferences(rows, rowFaults.length === 0);
  return { people, faults: [...rowFaults, ...faults].sort((a, b) => a.row - b.row) };
}
