import path from 'node:path';
import test from 'ava';

import { startStack } from '../../../cli/stack/stack.ts';
import type { Stack } from '../../../cli/stack/stack.ts';
import { loadConfig } from '../../../platform/config.ts';
import { isAlive } from '../../../platform/process-info.ts';
import { dataFolder } from './support/data-folder.ts';

const script = path.join(import.meta.dirname, 'support/programs/stand-in.ts');
const NAMES = ['api', 'worker', 'temporal', 'postgres'];

function stackIn(dataDir: string, supervise: boolean): Promise<Stack> {
  const ports = Object.fromEntries(
    ['API', 'MCP', 'POSTGRES', 'TEMPORAL', 'TEMPORAL_UI'].map((name) => [`SWITCHBOARD_${name}_PORT`, '0']),
  );
  return startStack({
    config: loadConfig({ ...ports, SWITCHBOARD_DATA_DIR: dataDir, SWITCHBOARD_SHUTDOWN_GRACE_MS: '5000' }),
    migrations: path.join(import.meta.dirname, 'support/migrations'),
    searchAttributes: { SwitchboardKind: 'Keyword' },
    supervise,
    processes: ({ apiPort }) => [
      { name: 'api', script, args: [String(apiPort)], port: apiPort },
      { name: 'worker', script },
    ],
  });
}

test('OPS-5: any part can be killed hard on purpose and started again on the same address', async (t) => {
  const stack = await stackIn(dataFolder(t), true);
  t.teardown(() => stack.stop());
  for (const name of NAMES) {
    const before = stack.pid(name);
    await stack.kill(name);
    t.false(isAlive(before), name);
    await stack.restart(name);
    t.not(stack.pid(name), before);
  }
  t.is((await fetch(stack.addresses.api)).status, 200);
  const pids = NAMES.map((name) => stack.pid(name));
  await stack.stop();
  t.deepEqual(pids.filter(isAlive), []);
});

test('OPS-5: without supervision a part killed from outside takes nothing else with it', async (t) => {
  const stack = await stackIn(dataFolder(t), false);
  t.teardown(() => stack.stop());
  process.kill(stack.pid('worker'), 'SIGKILL');
  await new Promise((resolve) => setTimeout(resolve, 500));
  t.throws(() => stack.pid('worker'), { message: /does not run/ });
  t.true(['api', 'temporal', 'postgres'].every((name) => isAlive(stack.pid(name))));
  await stack.restart('worker');
  t.true(isAlive(stack.pid('worker')));
});

test('OPS-1: with supervision a part killed from outside ends everything and is named', async (t) => {
  const stack = await stackIn(dataFolder(t), true);
  t.teardown(() => stack.stop());
  const pids = NAMES.map((name) => stack.pid(name));
  process.kill(stack.pid('temporal'), 'SIGKILL');
  const { name, message } = await stack.failure;
  t.is(name, 'temporal');
  t.regex(message, /^temporal ended unexpectedly \(killed/);
  t.deepEqual(pids.filter(isAlive), []);
});

test('OPS-1: a process that cannot start ends the start with its reason and leaves nothing', async (t) => {
  const dataDir = dataFolder(t);
  const broken = startStack({
    config: loadConfig({
      SWITCHBOARD_DATA_DIR: dataDir,
      SWITCHBOARD_API_PORT: '0',
      SWITCHBOARD_MCP_PORT: '0',
      SWITCHBOARD_POSTGRES_PORT: '0',
      SWITCHBOARD_TEMPORAL_PORT: '0',
      SWITCHBOARD_TEMPORAL_UI_PORT: '0',
    }),
    migrations: path.join(import.meta.dirname, 'support/migrations'),
    processes: () => [{ name: 'worker', script: '/nowhere/worker.ts' }],
  });
  await t.throwsAsync(broken, { message: /^worker did not start: .*Cannot find module/ });
  const stack = await stackIn(dataDir, true);
  await stack.stop();
});
