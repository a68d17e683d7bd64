import test from 'ava';

import { errorLines, errorOf } from '../../../cli/stack/log-file.ts';

test('OPS-1: the reason a process ended is taken from its log, its exception, or its last words', (t) => {
  const line = JSON.stringify({ level: 'error', msg: 'no database', err: { message: 'refused' } });
  t.is(errorLines(['{"level":"info","msg":"hello"}', line]), 'no database: refused');
  t.is(errorLines(['file.ts:1', 'TypeError: x is not a function', '    at f']), 'TypeError: x is not a function');
  t.is(errorLines(['a', 'b', '', 'c', 'd']), 'b | c | d');
  t.is(errorLines([]), 'it said nothing');
});

test('OPS-1: only error lines reach the terminal', (t) => {
  t.is(errorOf('{"level":"info","msg":"x"}'), undefined);
  t.is(errorOf('{broken'), undefined);
  t.is(errorOf('plain'), undefined);
});
