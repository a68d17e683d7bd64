import test from 'ava';

import { summaryOf, sumOf, TapReader } from '../../../scripts/testing/tap.ts';
import type { TapResult } from '../../../scripts/testing/tap.ts';

function read(lines: readonly string[], exitCode: number | null) {
  const results: TapResult[] = [];
  const reader = new TapReader((result) => results.push(result));
  for (const line of lines) reader.line(line);
  return { counts: reader.end(exitCode), results };
}

const plan = ['', '1..1', '# tests 1', '# pass 1', '# fail 0'];

test('passed, failed and skipped tests are counted, and failures keep their details', (t) => {
  const { counts, results } = read(
    [
      'TAP version 13',
      'ok 1 - a › works # and a hash',
      'ok 2 - a › left out # SKIP',
      'not ok 3 - a › fails',
      '  ---',
      '    message: why',
      '  ...',
      ...['', '1..3', '# tests 3', '# pass 1', '# skip 1', '# fail 1'],
    ],
    1,
  );
  t.deepEqual(counts, { passed: 1, failed: 1, skipped: 1 });
  t.deepEqual(results.at(-1), {
    outcome: 'failed',
    title: 'a › fails',
    details: ['  ---', '    message: why', '  ...'],
  });
});

test('a test that says in its log that it was skipped counts as skipped', (t) => {
  const { counts, results } = read(['ok 1 - engine', '#   skipped: no container engine', ...plan], 0);
  t.deepEqual(counts, { passed: 0, failed: 0, skipped: 1 });
  t.is(results[0]?.title, 'engine (skipped: no container engine)');
});

test('tests that a crash left unfinished are failures', (t) => {
  const lines = ['not ok 1 - b.test.ts exited due to SIGSEGV', '', '1..4', '# tests 4', '# pass 0', '# fail 4'];
  t.is(read(lines, 1).counts.failed, 4);
});

test('a run that breaks off, or ends badly without a failing test, has failed', (t) => {
  t.deepEqual(read(['ok 1 - fine'], 1).counts, { passed: 1, failed: 1, skipped: 0 });
  t.deepEqual(read(['ok 1 - fine', ...plan], null).counts, { passed: 1, failed: 1, skipped: 0 });
  t.deepEqual(read(['ok 1 - fine', ...plan], 0).counts, { passed: 1, failed: 0, skipped: 0 });
});

test('the last line has the sum of the stages', (t) => {
  const all = [
    { passed: 2, failed: 0, skipped: 0 },
    { passed: 1, failed: 1, skipped: 0 },
  ];
  t.is(summaryOf(sumOf(all)), '3 passed, 1 failed');
  t.is(summaryOf({ passed: 3, failed: 0, skipped: 2 }), '3 passed, 0 failed, 2 skipped');
});
