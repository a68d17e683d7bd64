import test from 'ava';
import fc from 'fast-check';

import { ROLES } from '../../../contracts/principal.ts';
import { csvCell } from '../../../directory/csv-cell.ts';
import { checkChart, MOST_FAULTS } from '../../../directory/import.ts';
import type { ChartSource, CheckedChart, Faults } from '../../../directory/import.ts';
import { parseOrgChart, readOrgChart } from '../../../directory/org-chart.ts';
import type { Person } from '../../../directory/person.ts';

const HEADER = 'user_id,reports_to_id,name,role,email,department';
const sourceOf = (csv: string | Buffer, size = 64): ChartSource => ({
  *read() {
    const bytes = Buffer.from(csv as string);
    for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
  },
});
async function peopleOf(csv: string, size?: number): Promise<{ people: Person[]; columns: readonly string[] }> {
  const people: Person[] = [];
  let columns: readonly string[] = [];
  for await (const item of readOrgChart(sourceOf(csv, size).read()))
    if ('person' in item) people.push(item.person);
    else if ('header' in item) columns = item.header;
  return { people, columns };
}
const isFaulty = (chart: CheckedChart | Faults): chart is Faults => 'faults' in chart;
const faultsOf = async (csv: string, size?: number): Promise<string[]> => {
  const chart = await checkChart(sourceOf(csv, size));
  return isFaulty(chart)
    ? chart.faults.map(({ row, column, message }) => `${String(row)} ${column ?? '-'} ${message}`)
    : [];
};

const LETTERS = [
  'a',
  'Z',
  '9',
  '"',
  "'",
  ',',
  ';',
  '=',
  '+',
  '-',
  '@',
  '|',
  'Ä',
  'ß',
  'é',
  'Ł',
  '名',
  'ا',
  '😀',
  ' ',
  '\u00A0',
  '\u{1F469}\u200D\u{1F4BB}',
];
/** Words of any language, with what CSV and spreadsheets treat specially. */
const word = fc
  .array(fc.constantFrom(...LETTERS), {
    minLength: 1,
    maxLength: 20,
  })
  .map((letters) => letters.join('').trim())
  .filter((text) => text !== '' && text === text.trim() && !/^'[=+\-@]/.test(text));

interface Row {
  readonly id: string;
  readonly manager: string;
  readonly name: string;
  readonly role: string;
  readonly department: string;
}
/** A chart without faults: everybody's manager came before. */
const chart: fc.Arbitrary<Row[]> = fc
  .array(fc.record({ up: fc.nat(), name: word, role: fc.constantFrom(...ROLES), department: word }), {
    minLength: 1,
    maxLength: 30,
  })
  .map((rows) =>
    rows.map(({ up, ...row }, at) => ({
      ...row,
      id: `u${String(at)}`,
      manager: at === 0 ? '' : `u${String(up % at)}`,
    })),
  );
const quoted = (text: string): string => `"${text.replaceAll('"', '""')}"`;
const lineOf = ({ id, manager, name, role, department }: Row): string =>
  [id, manager, quoted(name), role, `${id}@example.com`, quoted(department)].join(',');
const byId = (people: readonly Person[]): Person[] => [...people].sort((a, b) => (a.user_id < b.user_id ? -1 : 1));

test('DIR-1: any order of rows, any line ends, BOM or none, however the bytes are cut: the same people', async (t) => {
  await fc.assert(
    fc.asyncProperty(
      chart.chain((rows) => fc.tuple(fc.constant(rows), fc.shuffledSubarray(rows, { minLength: rows.length }))),
      fc.boolean(),
      fc.constantFrom('\n', '\r\n'),
      fc.integer({ min: 1, max: 200 }),
      async ([rows, mixed], bom, end, size) => {
        const plain = parseOrgChart([HEADER, ...rows.map(lineOf)].join('\n'));
        const csv = `${bom ? '\uFEFF' : ''}${[HEADER, ...mixed.map(lineOf)].join(end)}${end}`;
        const { people } = await peopleOf(csv, size);
        t.deepEqual(plain.faults, []);
        t.deepEqual(byId(people), byId(plain.people));
        t.deepEqual(await faultsOf(csv, size), []);
      },
    ),
    { numRuns: 100 },
  );
});

test('DIR-1: what is exported is what is imported, and no spreadsheet runs it', async (t) => {
  await fc.assert(
    fc.asyncProperty(word, async (name) => {
      const cell = csvCell(name);
      t.false(/^"?[=+\-@\t]/.test(cell), cell);
      const { people } = await peopleOf(`${HEADER}\n1,,${cell},hr,a@example.com,D`);
      t.is(people[0]?.name, name);
    }),
  );
});

test('DIR-1: streamed and read at once, a chart with faults has the same ones', async (t) => {
  const cell = fc.constantFrom('', '1', '2', '3', 'x y', 'hr', 'boss', 'a@example.com', 'b@example.com', '"q', 'Ä');
  const anyRow = fc.array(cell, { minLength: 5, maxLength: 7 }).map((cells) => cells.join(','));
  await fc.assert(
    fc.asyncProperty(
      fc.array(anyRow, { minLength: 1, maxLength: 8 }),
      fc.integer({ min: 1, max: 50 }),
      async (rows, size) => {
        const csv = [HEADER, ...rows].join('\n');
        const { faults } = parseOrgChart(csv);
        // A fault of CSV itself ends the reading: what came before it is told too where it is streamed.
        const broken = faults.some(({ message }) => message.startsWith('is not CSV'));
        const streamed = await faultsOf(csv, size);
        const told = faults.map(({ row, column, message }) => `${String(row)} ${column ?? '-'} ${message}`);
        if (broken) t.true(streamed.includes(told[0] ?? ''));
        else t.deepEqual(streamed, told);
      },
    ),
    { numRuns: 200 },
  );
});

test('DIR-1: each kind of fault, with row and column', async (t) => {
  const row = '1,,Ada,hr,a@example.com,D';
  const cases: readonly (readonly [string, string])[] = [
    ['', '1 - is missing: the file is empty'],
    [HEADER, '2 - is missing: the file names nobody'],
    ['user_id,name', '1 reports_to_id is missing'],
    [`${HEADER},salary\n${row},1`, '1 salary is not a known column'],
    [`${HEADER},name\n${row},1`, '1 name is there twice'],
    [`${HEADER}\n1,,Ada`, '2 - has 3 fields; the header has 6'],
    [`${HEADER}\n1,,"Ada,hr`, '2 - is not CSV: quote not closed'],
    [`${HEADER}\n,,Ada,hr,a@example.com,D`, '2 user_id is missing'],
    [`${HEADER}\n1,,A\u0007da,hr,a@example.com,D`, '2 name may not hold control characters'],
    [`${HEADER}\n1,,${'A'.repeat(101)},hr,a@example.com,D`, '2 name is longer than 100 characters'],
    [`${HEADER}\n1,2,Ada,hr,a@example.com,D`, '2 reports_to_id names nobody of this file: 2'],
    [`${HEADER}\n${row}\n1,,Eve,hr,e@example.com,D`, '3 user_id is the same as in row 2: 1'],
    [`${HEADER}\n${row}\n2,,Eve,hr,A@example.com,D`, '3 email is the same as in row 2'],
    [`${HEADER}\n1,1,Ada,hr,a@example.com,D`, '2 reports_to_id makes people their own managers: 1 → 1'],
    [`${HEADER},status\n${row},gone`, '2 status is neither active nor inactive'],
    [`${HEADER},locale\n${row},english!`, '2 locale is not a language tag such as en-US'],
    [`${HEADER},manager_email\n${row},z@example.com`, '2 manager_email is the e-mail of nobody in this file'],
  ];
  for (const [csv, fault] of cases) t.is((await faultsOf(csv))[0], fault);
});

test('DIR-1: of very many faults the first are told, and how many there are', async (t) => {
  const rows = Array.from({ length: 2_500 }, (_, at) => `${String(at)},,,hr,p${String(at)}@example.com,D`);
  const found = await checkChart(sourceOf([HEADER, ...rows].join('\n'), 65_536));
  t.true(isFaulty(found) && found.count === 2_500 && found.faults.length === MOST_FAULTS && found.faults[0]?.row === 2);
});

test('DIR-1: a deep line of managers is walked without recursion', async (t) => {
  const rows = Array.from(
    { length: 20_000 },
    (_, at) => `${String(at)},${at === 0 ? '' : String(at - 1)},N,hr,p${String(at)}@x.org,D`,
  );
  t.deepEqual(await faultsOf([HEADER, ...rows].join('\n'), 65_536), []);
});
