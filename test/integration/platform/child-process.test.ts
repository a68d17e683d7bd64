import path from 'node:path';
import test from 'ava';

import { startChild } from '../../../platform/child-process.ts';
import { isAlive, waitForEnd } from '../../../platform/process-info.ts';

const env = { PATH: process.env['PATH'] ?? '' };
const shell = (script: string): Parameters<typeof startChild>[0] => ({
  name: 'sh',
  command: '/bin/sh',
  args: ['-c', script],
  env,
});

test('X-8: a child that ignores the request to end is killed after the grace, with what it started', async (t) => {
  const lines: string[] = [];
  const heard = Promise.withResolvers<undefined>();
  const onLine = (line: string): void => {
    lines.push(line);
    heard.resolve(undefined);
  };
  const child = await startChild({ ...shell('trap "" TERM; sleep 60 & echo $!; wait; wait'), onLine });
  await heard.promise;
  const { signal } = await child.stop(200);
  t.is(signal, 'SIGKILL');
  t.true(await waitForEnd(Number(lines[0]), 2000));
  t.false(isAlive(child.pid));
});

test('OPS-1: the last lines of a child are kept, and how it ended is told', async (t) => {
  const child = await startChild(shell('echo one; echo two >&2; exit 3'));
  t.deepEqual(await child.exited, { code: 3, signal: null });
  t.deepEqual([...child.tail()].sort(), ['one', 'two']);
});

test('OPS-1: a program that is not there is named', async (t) => {
  const missing = path.join(import.meta.dirname, 'no-such-program');
  await t.throwsAsync(startChild({ ...shell(''), name: 'thing', command: missing }), {
    message: /^thing cannot be started: .*no-such-program/,
  });
});
