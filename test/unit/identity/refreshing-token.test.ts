import test from 'ava';

import { RefreshingToken } from '../../../platform/sign-in/refreshing-token.ts';
import type { HeldToken } from '../../../platform/sign-in/refreshing-token.ts';

const held = (accessToken: string, age: number, left: number): HeldToken => ({
  accessToken,
  obtainedAt: Date.now() - age,
  expiresAt: Date.now() + left,
});
const soon = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 10));

test('IDN-2: a fresh token is used as it is', async (t) => {
  const source = new RefreshingToken({
    held: () => held('first', 1_000, 600_000),
    renew: () => Promise.reject(new Error('not asked')),
  });
  t.is(await source.token(), 'first');
});

test('IDN-2: a token is renewed ahead, in the background, once for all who ask', async (t) => {
  let renewals = 0;
  const source = new RefreshingToken({
    held: () => held('first', 600_000, 60_000),
    renew: async () => {
      renewals += 1;
      await soon();
      return held('second', 0, 600_000);
    },
  });
  t.deepEqual(await Promise.all([source.token(), source.token(), source.token()]), ['first', 'first', 'first']);
  await soon();
  await soon();
  t.is(await source.token(), 'second');
  t.is(renewals, 1);
});

test('IDN-2: while renewing fails, the token is used until it expires, and then not', async (t) => {
  const failures: unknown[] = [];
  let left = 60_000;
  const source = () =>
    new RefreshingToken({
      held: () => held('first', 600_000, left),
      renew: () => Promise.reject(new Error('away')),
      onFailure: (error) => failures.push(error),
    });
  t.is(await source().token(), 'first');
  await soon();
  t.is(failures.length, 1);
  left = 0;
  await t.throwsAsync(source().token(), { message: 'away' });
});
