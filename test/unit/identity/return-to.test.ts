import test from 'ava';

import { safeReturnTo } from '../../../api/sign-in/return-to.ts';

const HERE = 'https://switchboard.example';

test('IDN-1: signing in leads back to a path of ours', (t) => {
  for (const path of ['/', '/inbox', '/tasks/task_1?tab=a&b=%2F#top']) t.is(safeReturnTo(path, HERE), path);
});

test('IDN-1: signing in leads nowhere else', (t) => {
  const others = [
    undefined,
    ['/a', '/b'],
    '',
    'inbox',
    'https://evil.example/',
    '//evil.example',
    '/\\evil.example',
    '/\\/evil.example',
    '\\\\evil.example',
    '/\t/evil.example',
    '/\n/evil.example',
    'javascript:alert(1)',
    '/a\\b',
    `/${'a'.repeat(3_000)}`,
    '/é',
  ];
  for (const other of others) t.is(safeReturnTo(other, HERE), '/', JSON.stringify(other));
});
