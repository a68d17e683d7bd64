import test from 'ava';

import { treeOf } from '../../../api/people/tree.ts';

type Person = Parameters<typeof treeOf>[0][number];
const person = (id: string, manager_id: string | null): Person => ({
  id,
  external_id: id,
  name: id,
  email: `${id}@example.com`,
  role: 'hr',
  department: 'People',
  manager_id,
});

test('DIR-1: the tree holds everybody once, below their manager, and can begin with anybody', (t) => {
  const people = [person('a', null), person('b', 'a'), person('c', 'b'), person('d', 'gone')];
  const all = treeOf(people);
  t.deepEqual(
    all?.tree.map(({ id }) => id),
    ['a', 'd'],
  );
  t.is(all?.omitted, 0);
  t.is(all?.tree[0]?.reports?.[0]?.reports?.[0]?.id, 'c');
  const below = treeOf(people, 'b');
  t.deepEqual(
    below?.tree.map(({ id, reports }) => [id, reports?.length]),
    [['b', 1]],
  );
  t.is(treeOf(people, 'nobody'), undefined);
});

test('X-3: a chart of 200,000 people in one line, or below one manager, is answered in bounds', (t) => {
  const ids = Array.from({ length: 200_000 }, (_, at) => `u${String(at)}`);
  const line = treeOf(ids.map((id, at) => person(id, at === 0 ? null : (ids[at - 1] ?? null))));
  t.is(line?.omitted, 200_000 - 50);
  t.true(JSON.stringify(line).includes('"reports_omitted":1'));
  const wide = treeOf(ids.map((id, at) => person(id, at === 0 ? null : 'u0')));
  t.is(wide?.tree[0]?.reports?.length, 9_999);
  t.is(wide?.tree[0]?.reports_omitted, 190_000);
  t.is(wide?.omitted, 190_000);
  t.is(treeOf(ids.map((id) => person(id, null)))?.omitted, 190_000);
});
