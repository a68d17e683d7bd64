import test from 'ava';

import { readShard } from '../../../contracts/sessions.ts';
import { fetchStatus } from '../../../contracts/status.ts';
import { claimTask, routeTask } from '../../../contracts/tasks.ts';
import { readArguments } from '../../../mcp-extension/arguments.ts';

const FIELDS = { target: 'finance', task: { task_type: 'budget_approval', description: 'Q1', data: { amount: 5 } } };

test('COMPAT-1: flat, wrapped and JSON-wrapped arguments are one input', (t) => {
  for (const given of [FIELDS, { params: FIELDS }, { params: JSON.stringify(FIELDS) }]) {
    t.deepEqual(readArguments(routeTask, given), { ok: true, input: FIELDS });
  }
});

test('COMPAT-1: fields beside params win over those in it', (t) => {
  const read = readArguments(routeTask, { params: FIELDS, target: 'legal' });
  t.true(read.ok && read.input['target'] === 'legal');
});

test('COMPAT-1: params that is no object is refused at its place', (t) => {
  for (const params of ['{broken', '"text"', '[1]', [FIELDS], 7, null]) {
    const read = readArguments(routeTask, { params });
    t.deepEqual(read, {
      ok: false,
      faults: [{ pointer: '/params', detail: 'must be an object, or the JSON text of one' }],
    });
  }
});

test('MCP-2: tools that never were wrapped know no params', (t) => {
  const read = readArguments(claimTask, { params: {} });
  t.false(read.ok);
  t.true(!read.ok && read.faults.some(({ pointer }) => pointer === '/params'));
});

test('X-1: every field at fault is named with its pointer', (t) => {
  const read = readArguments(routeTask, { task: { task_type: 5 }, 'a/b~c': 1, priority: '2' });
  t.false(read.ok);
  const faults = read.ok ? [] : read.faults;
  t.deepEqual(faults.map(({ pointer }) => pointer).toSorted(), ['/a~1b~0c', '/priority', '/target', '/task/task_type']);
  t.is(faults.find(({ pointer }) => pointer === '/target')?.detail, 'is missing (string)');
  t.is(faults.find(({ pointer }) => pointer === '/a~1b~0c')?.detail, 'is not a field of send_task');
});

test('X-1: no arguments, and a great many wrong ones, are answered in bounds', (t) => {
  const none = readArguments(fetchStatus, null);
  t.deepEqual(none.ok ? [] : none.faults, [{ pointer: '/task_id', detail: 'is missing (string)' }]);
  const many = readArguments(
    readShard,
    Object.fromEntries(Array.from({ length: 500 }, (_, at) => [`f${String(at)}`, at])),
  );
  t.true(!many.ok && many.faults.length === 20);
});
