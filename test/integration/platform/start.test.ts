import { readFileSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import test from 'ava';
import type { ExecutionContext } from 'ava';

import { isAlive } from '../../../platform/process-info.ts';
import { dataFolder } from './support/data-folder.ts';
import { runProgram } from './support/program.ts';
import type { Program } from './support/program.ts';

const anyPorts = {
  SWITCHBOARD_API_PORT: '0',
  SWITCHBOARD_MCP_PORT: '0',
  SWITCHBOARD_POSTGRES_PORT: '0',
  SWITCHBOARD_TEMPORAL_PORT: '0',
  SWITCHBOARD_TEMPORAL_UI_PORT: '0',
  SWITCHBOARD_OIDC_PORT: '0',
};

interface Part {
  name: string;
  pid: number;
}

function start(t: ExecutionContext, dataDir: string, env: Record<string, string> = {}): Program {
  return runProgram(t, 'start.ts', [], { ...anyPorts, SWITCHBOARD_DATA_DIR: dataDir, ...env });
}

const parts = (dataDir: string): Part[] =>
  JSON.parse(readFileSync(path.join(dataDir, 'processes.json'), 'utf8')) as Part[];

const alive = (running: readonly Part[]): string[] => running.filter(({ pid }) => isAlive(pid)).map(({ name }) => name);

test('X-8: start runs every part, prints addresses, and Ctrl-C drains in order and leaves nothing', async (t) => {
  const dataDir = dataFolder(t);
  const program = start(t, dataDir);
  await program.line(/^Switchboard is ready/);
  const running = parts(dataDir);
  t.deepEqual(running.map(({ name }) => name).sort(), ['api', 'postgres', 'temporal', 'worker']);
  const api = (await program.line(/^API /)).split(/\s+/)[1] ?? '';
  t.is(await (await fetch(api)).text(), 'no owner');
  process.kill(program.pid, 'SIGINT');
  t.is(await program.ended, 0);
  const stops = program.lines.filter((line) => line.startsWith('stopping'));
  t.deepEqual(stops, ['stopping api', 'stopping worker', 'stopping temporal', 'stopping postgres']);
  t.deepEqual(alive(running), []);
});

test('OPS-1: a part that dies ends everything, with its reason and a code that is not 0', async (t) => {
  const dataDir = dataFolder(t);
  const program = start(t, dataDir);
  const api = (await program.line(/^API /)).split(/\s+/)[1] ?? '';
  await program.line(/^Switchboard is ready/);
  const running = parts(dataDir);
  await t.throwsAsync(fetch(`${api}/die`));
  t.is(await program.ended, 1);
  t.truthy(
    await program.line(/^api ended unexpectedly \(exit code 1\): .*stand-in was told to die/).catch(() => undefined),
    program.lines.join('\n'),
  );
  t.deepEqual(alive(running), []);
});

test('OPS-1: a second instance over the same data is refused in one line', async (t) => {
  const dataDir = dataFolder(t);
  const first = start(t, dataDir);
  await first.line(/^Switchboard is ready/);
  const second = start(t, dataDir);
  t.is(await second.ended, 1);
  t.is(second.lines.length, 1);
  t.regex(second.lines[0] ?? '', new RegExp(`already runs.*process ${String(first.pid)}`));
  process.kill(first.pid, 'SIGTERM');
  t.is(await first.ended, 0);
});

test('OPS-5: after kill -9 of the whole, the next start ends what was left and comes up', async (t) => {
  const dataDir = dataFolder(t);
  const first = start(t, dataDir, { SWITCHBOARD_TEST_WATCHDOG: '' });
  await first.line(/^Switchboard is ready/);
  const left = parts(dataDir);
  process.kill(first.pid, 'SIGKILL');
  await first.ended;
  const second = start(t, dataDir);
  await second.line(/^Switchboard is ready/);
  t.deepEqual(alive(left), []);
  t.true(second.lines.some((line) => line.startsWith('stopped Postgres left by an earlier run')));
  const running = parts(dataDir);
  process.kill(second.pid, 'SIGTERM');
  t.is(await second.ended, 0);
  t.deepEqual(alive(running), []);
});

test('OPS-1: a taken port is named in one line, with the variable that changes it', async (t) => {
  const server = net.createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  t.teardown(() => server.close());
  const port = String((server.address() as net.AddressInfo).port);
  const program = start(t, dataFolder(t), { SWITCHBOARD_API_PORT: port });
  t.is(await program.ended, 1);
  t.deepEqual(program.lines, [
    `Port ${port} (API) is in use: free it, or set SWITCHBOARD_API_PORT to another (0 picks a free one).`,
  ]);
});

test('OPS-1: two parts on one port, and wrong variables, are refused before anything starts', async (t) => {
  const same = start(t, dataFolder(t), { SWITCHBOARD_API_PORT: '45123', SWITCHBOARD_MCP_PORT: '45123' });
  t.is(await same.ended, 1);
  t.regex(same.lines.join(), /SWITCHBOARD_MCP_PORT and SWITCHBOARD_API_PORT are both 45123/);
  const wrong = start(t, dataFolder(t), { SWITCHBOARD_API_PORT: 'x', SWITCHBOARD_LOG_LEVEL: 'y' });
  t.is(await wrong.ended, 1);
  t.is(wrong.lines.length, 3);
});
