import test from 'ava';
import fc from 'fast-check';

import type { Requirement } from '../../../contracts/approval-policy.ts';
import { attainable, usersOf, withoutPerson } from '../../../contracts/requirement.ts';

const people = ['a', 'b', 'c', 'd', 'e'];
const leaf: fc.Arbitrary<Requirement> = fc
  .tuple(fc.subarray(people, { minLength: 1 }), fc.nat())
  .map(([users, n]) => ({ label: 'some', users, need: 1 + (n % users.length) }));
const requirement: fc.Arbitrary<Requirement> = fc.oneof(
  leaf,
  fc.array(leaf, { minLength: 1, maxLength: 3 }).map((parts) => ({ label: 'all', parts, need: parts.length })),
);

test('DIR-1: who leaves is asked no more, others only where too few are left, and nobody needs fewer', (t) => {
  fc.assert(
    fc.property(requirement, fc.constantFrom(...people), (before, person) => {
      const after = withoutPerson(before, person, 'stand-in');
      t.false(usersOf(after).includes(person));
      const added = usersOf(after).filter((user) => !usersOf(before).includes(user));
      t.true(added.length === 0 || (added.length === 1 && added[0] === 'stand-in'));
      t.is(after.need, before.need);
      if ('users' in before && 'users' in after) {
        t.is(added.length, before.users.includes(person) && before.users.length === before.need ? 1 : 0);
        t.true(attainable(after));
      }
    }),
  );
});

test('DIR-1: without anybody to stand in, the requirement only shrinks', (t) => {
  const before: Requirement = { label: 'a', users: ['a'], need: 1 };
  t.deepEqual(withoutPerson(before, 'a', null), { label: 'a', users: [], need: 1 });
  t.is(withoutPerson(before, 'b', 'c'), before);
});
