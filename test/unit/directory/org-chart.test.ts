import test from 'ava';
import fc from 'fast-check';

import { managerChain } from '../../../directory/manager-chain.ts';
import { parseOrgChart } from '../../../directory/org-chart.ts';

const HEADER = 'user_id,reports_to_id,name,role,email,department';
const chart = (...rows: string[]): string => [HEADER, ...rows].join('\n');
const faults = (csv: string): string[] =>
  parseOrgChart(csv).faults.map(({ row, column, message }) => `${String(row)} ${column ?? '-'} ${message}`);

test('DIR-1: reads the columns in any order, rows before their managers, with BOM and quotes', (t) => {
  const csv =
    '\uFEFFEmail,role,user_id,name,department,reports_to_id\r\nAda@Example.com,Finance,2,"Lovelace, Ada",Money,1\r\n\r\nceo@example.com,manager,1,Boss,Board,\r\n';
  const { people, faults: none } = parseOrgChart(Buffer.from(csv));
  t.deepEqual(none, []);
  t.deepEqual(people[0], {
    user_id: '2',
    reports_to_id: '1',
    name: 'Lovelace, Ada',
    role: 'finance',
    email: 'ada@example.com',
    department: 'Money',
    title: null,
    locale: null,
    status: 'active',
    manager_email: null,
  });
  t.is(people[1]?.reports_to_id, null);
});

test('DIR-1: optional columns, and managers by e-mail', (t) => {
  const csv = `${HEADER},title,locale,status,manager_email
2,,Ada,finance,ada@example.com,Money,Analyst,en-US,inactive,CEO@example.com
1,,Boss,manager,ceo@example.com,Board,,,,`;
  const { people, faults: none } = parseOrgChart(csv);
  t.deepEqual(none, []);
  t.like(people[0], { reports_to_id: '1', title: 'Analyst', locale: 'en-US', status: 'inactive' });
  t.like(people[1], { reports_to_id: null, title: null, locale: null, status: 'active' });
});

test('DIR-1: every fault of every row is told, with row and column', (t) => {
  t.deepEqual(
    faults(
      chart('1,,Boss,chief,boss,Board', '2,9,,finance,ada@example.com,Money', 'a b,1,Eve,legal,eve@example.com,Law'),
    ),
    [
      '2 role is none of analyst, developer, finance, hr, legal, manager, marketing, support',
      '2 email is not an e-mail address',
      '3 name is missing',
      '4 user_id may hold letters, digits, dots, dashes, underscores and @ only',
    ],
  );
});

test('DIR-1: duplicate ids and e-mails, and unknown managers', (t) => {
  t.deepEqual(
    faults(
      chart(
        '1,,Boss,manager,boss@example.com,Board',
        '1,,Ada,finance,BOSS@example.com,Money',
        '3,7,Eve,hr,e@example.com,HR',
      ),
    ),
    [
      '3 user_id is the same as in row 2: 1',
      '3 email is the same as in row 2',
      '4 reports_to_id names nobody of this file: 7',
    ],
  );
  t.deepEqual(
    faults(`${HEADER},manager_email\n1,,A,hr,a@example.com,HR,b@example.com\n2,2,B,hr,c@example.com,HR,a@example.com`),
    [
      '2 manager_email is the e-mail of nobody in this file',
      '3 manager_email is not the e-mail of 2, whom reports_to_id names',
      '3 reports_to_id makes people their own managers: 2 → 2',
    ],
  );
});

test('DIR-1: circles of managers are refused, and people below a circle are not blamed', (t) => {
  const row = (id: string, manager: string): string => `${id},${manager},N,hr,u${id}@example.com,HR`;
  t.deepEqual(faults(chart(row('4', '1'), row('1', '2'), row('2', '3'), row('3', '1'))), [
    '3 reports_to_id makes people their own managers: 1 → 2 → 3 → 1',
    '4 reports_to_id makes people their own managers: 1 → 2 → 3 → 1',
    '5 reports_to_id makes people their own managers: 1 → 2 → 3 → 1',
  ]);
});

test('DIR-1: a file that is no org chart says why', (t) => {
  t.deepEqual(faults(''), ['1 - is missing: the file is empty']);
  t.deepEqual(faults('user_id,name,name,salary\n'), [
    '1 reports_to_id is missing',
    '1 role is missing',
    '1 email is missing',
    '1 department is missing',
    '1 salary is not a known column',
    '1 name is there twice',
  ]);
  t.deepEqual(faults(chart('1,,Boss,manager,boss@example.com')), ['2 - has 5 fields; the header has 6']);
  t.regex(faults(chart('1,,"Boss,manager,b@example.com,Board'))[0] ?? '', /is not CSV/);
});

test('DIR-1: 50,000 rows, even as one circle, take seconds at most', (t) => {
  const size = 50_000;
  const rows = Array.from(
    { length: size },
    (_, at) => `${String(at)},${String((at + 1) % size)},N,hr,u${String(at)}@example.com,HR`,
  );
  const started = performance.now();
  t.is(parseOrgChart(chart(...rows)).faults.length, size);
  t.true(performance.now() - started < 10_000);
});

test('DIR-1: the order of rows changes nothing', (t) => {
  const rows = Array.from(
    { length: 12 },
    (_, at) => `${String(at)},${at ? String(Math.floor(at / 2)) : ''},N,hr,u${String(at)}@example.com,HR`,
  );
  const sorted = (csv: string): string[] =>
    parseOrgChart(csv)
      .people.map((person) => JSON.stringify(person))
      .sort();
  fc.assert(
    fc.property(fc.shuffledSubarray(rows, { minLength: 12 }), (shuffled) => {
      t.deepEqual(parseOrgChart(chart(...shuffled)).faults, []);
      t.deepEqual(sorted(chart(...shuffled)), sorted(chart(...rows)));
    }),
    { numRuns: 30 },
  );
});

test('APPR-2: the chain of managers ends at the top and before a circle closes', (t) => {
  const managers = new Map([
    ['a', 'b'],
    ['b', 'c'],
    ['x', 'y'],
    ['y', 'z'],
    ['z', 'y'],
    ['s', 's'],
  ]);
  const chain = (id: string): string[] => managerChain((one) => managers.get(one), id);
  t.deepEqual(chain('a'), ['b', 'c']);
  t.deepEqual(chain('x'), ['y', 'z']);
  t.deepEqual(chain('s'), []);
  t.deepEqual(chain('nobody'), []);
});
