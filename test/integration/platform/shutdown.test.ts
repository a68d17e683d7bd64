import { setTimeout as sleep } from 'node:timers/promises';
import test from 'ava';

import { runProgram } from './support/program.ts';

test('X-8: SIGTERM stops what was started last first, and ends with 0', async (t) => {
  const program = runProgram(t, 'drain.ts');
  await program.line(/^up/);
  process.kill(program.pid, 'SIGTERM');
  t.is(await program.ended, 0);
  t.deepEqual(program.lines, ['up', 'api', 'worker', 'database']);
});

test('X-8: the same Ctrl-C passed on several times is one', async (t) => {
  const program = runProgram(t, 'drain.ts');
  await program.line(/^up/);
  for (let times = 0; times < 3; times += 1) process.kill(program.pid, 'SIGINT');
  t.is(await program.ended, 0);
});

test('X-8: a step that fails does not keep the others from stopping', async (t) => {
  const program = runProgram(t, 'drain.ts', ['fail']);
  await program.line(/^up/);
  process.kill(program.pid, 'SIGTERM');
  t.is(await program.ended, 1);
  t.true(program.lines.includes('database'));
});

test('X-8: a step that hangs is ended at the deadline and named', async (t) => {
  const program = runProgram(t, 'drain.ts', ['hang', '300']);
  await program.line(/^up/);
  process.kill(program.pid, 'SIGTERM');
  t.is(await program.ended, 1);
  t.regex(program.lines.at(-1) ?? '', /worker.*still stopping after 300 ms/);
});

test('X-8: a second Ctrl-C ends at once', async (t) => {
  const program = runProgram(t, 'drain.ts', ['hang', '60000']);
  await program.line(/^up/);
  process.kill(program.pid, 'SIGINT');
  await sleep(1200);
  process.kill(program.pid, 'SIGINT');
  t.is(await program.ended, 130);
});

test('X-8: the end of the starting process ends this one in order', async (t) => {
  const program = runProgram(t, 'drain.ts', [], { SWITCHBOARD_PARENT: '1' });
  await program.line(/^up/);
  program.closeInput();
  t.is(await program.ended, 0);
  t.deepEqual(program.lines, ['up', 'api', 'worker', 'database']);
});
