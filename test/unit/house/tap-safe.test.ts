import test from 'ava';

import { makeTapSafe } from '../../../scripts/testing/tap-safe.ts';
import type { Reporter } from '../../../scripts/testing/tap-safe.ts';
import { TapReader } from '../../../scripts/testing/tap.ts';
import type { TapResult } from '../../../scripts/testing/tap.ts';

type Write = (text: string) => void;
type ReporterClass = new (options: { reportStream: { write: Write }; projectDir: string }) => Reporter;
const file = new URL('../../../node_modules/ava/lib/reporters/tap.js', import.meta.url).href;
const { default: TapReporter } = (await import(file)) as { default: ReporterClass };

/** What AVA's own reporter writes of failures, and what is read of that. */
function reported(failures: readonly object[]) {
  class Safe extends TapReporter {}
  makeTapSafe(Safe.prototype);
  const results: TapResult[] = [];
  const reader = new TapReader((result) => results.push(result));
  const write: Write = (text) => text.split('\n').forEach((line) => reader.line(line));
  const reporter = new Safe({ reportStream: { write }, projectDir: '/' });
  for (const err of failures) reporter.writeTest({ title: 'fails', err } as never, { passed: false });
  reporter.writeCrash({ err: failures[0] } as never, 'crashes');
  const last = { i: reporter.i, crashCount: reporter.crashCount };
  reader.line(`1..${String(last.i)}`);
  return { results, last, failed: reader.end(1).failed };
}

test('a failure that YAML cannot hold is reported as text, with its stack, and the run goes on', (t) => {
  const originalError = Object.assign(new Error('boo'), { fields: [undefined, { more: undefined }] });
  const unwritable = { type: 'native', name: 'Error', originalError, stack: 'Error: boo\n    at here.ts:1:2' };
  const writable = { ...unwritable, originalError: new Error('plain') };
  const { results, last, failed } = reported([unwritable, writable]);
  t.is(failed, 3);
  t.deepEqual(last, { i: 3, crashCount: 1 }, 'nothing is counted twice');
  t.true(results[0]?.details.some((line) => line.includes('Error: boo')));
  t.true(results[0]?.details.some((line) => line.includes('here.ts:1:2')));
  t.true(results[1]?.details.some((line) => line.includes('message: plain')));
});

test('an error of the runner itself, at a time-out or process.exit, is reported like any other', (t) => {
  const { results, failed } = reported([new Error('Exited because no new tests completed')]);
  t.is(failed, 2);
  t.true(results[0]?.details.some((line) => line.includes('no new tests completed')));
});
