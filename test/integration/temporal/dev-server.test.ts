import { existsSync } from 'node:fs';
import path from 'node:path';
import test from 'ava';

import { isAlive } from '../../../platform/process-info.ts';
import { isPortFree } from '../../../platform/ports.ts';
import { cacheFolder, findTemporalCli } from '../../../temporal/cli-binary.ts';
import { connectTemporal } from '../../../temporal/connection.ts';
import { startDevServer } from '../../../temporal/dev-server.ts';
import { ensureNamespace } from '../../../temporal/namespace.ts';
import { dataFolder } from '../platform/support/data-folder.ts';
import { runProgram } from '../platform/support/program.ts';

test('OPS-1: the server starts on free ports, answers, and leaves neither process nor file', async (t) => {
  const server = await startDevServer({ port: 0, uiPort: 0, namespace: 'default' });
  t.is((await fetch(`http://127.0.0.1:${String(server.uiPort)}`)).status, 200);
  await server.stop();
  t.false(isAlive(server.pid));
  t.true(await isPortFree(server.port));
});

test('OPS-4: the Web UI is told where histories are decoded', async (t) => {
  const codecEndpoint = 'http://127.0.0.1:8088/codec';
  const server = await startDevServer({ port: 0, uiPort: 0, namespace: 'default', codecEndpoint });
  t.teardown(() => server.stop());
  const answer = await fetch(`http://127.0.0.1:${String(server.uiPort)}/api/v1/settings`);
  const { Codec } = (await answer.json()) as { readonly Codec: { readonly Endpoint: string } };
  t.is(Codec.Endpoint, codecEndpoint);
});

test('OPS-1: namespace and search attributes are made once, however many ask at the same time', async (t) => {
  const server = await startDevServer({ port: 0, uiPort: 0, namespace: 'default' });
  t.teardown(() => server.stop());
  const { connection, client } = await connectTemporal({ address: server.address, namespace: 'made' });
  t.teardown(() => connection.close());
  const attributes = { SwitchboardKind: 'Keyword', SwitchboardRole: 'Keyword' } as const;
  await Promise.all([1, 2, 3].map(() => ensureNamespace(connection, 'made', attributes)));
  await ensureNamespace(connection, 'made', { ...attributes, SwitchboardAgent: 'Keyword' });
  const { count } = await client.workflow.count(`SwitchboardKind = 'task' and SwitchboardAgent = 'a'`);
  t.is(count, 0);
  const { config } = await connection.workflowService.describeNamespace({ namespace: 'made' });
  t.is(Number(config?.workflowExecutionRetentionTtl?.seconds), 7 * 24 * 3600);
});

test('OPS-5: state outlives the server, and one left by a killed process is stopped', async (t) => {
  const folder = dataFolder(t);
  const program = runProgram(t, 'temporal.ts', [folder], { SWITCHBOARD_TEST_WATCHDOG: '' });
  const orphan = Number((await program.line(/^pid /)).slice(4));
  process.kill(program.pid, 'SIGKILL');
  await program.ended;
  t.true(isAlive(orphan));
  const said: string[] = [];
  const server = await startDevServer({
    folder,
    port: 0,
    uiPort: 0,
    namespace: 'default',
    say: (line) => said.push(line),
  });
  t.teardown(() => server.stop());
  t.false(isAlive(orphan));
  t.deepEqual(said, ['stopped Temporal left by an earlier run']);
  t.true(existsSync(path.join(folder, 'temporal.db')));
});

test('OPS-1: an address where nothing answers is named', async (t) => {
  const connecting = connectTemporal({ address: '127.0.0.1:1', namespace: 'default', waitMs: 200 });
  await t.throwsAsync(connecting, { message: /does not answer at 127\.0\.0\.1:1.*SWITCHBOARD_TEMPORAL_ADDRESS/ });
});

test('OPS-1: the CLI is the one named, else the one on the path, else the cached one', async (t) => {
  const say = (): undefined => undefined;
  t.is(await findTemporalCli(say, { TEMPORAL_CLI_PATH: process.execPath }), process.execPath);
  await t.throwsAsync(findTemporalCli(say, { TEMPORAL_CLI_PATH: '/nowhere/temporal' }), {
    message: /TEMPORAL_CLI_PATH/,
  });
  t.is(cacheFolder({ XDG_CACHE_HOME: '/c' }), '/c/switchboard/temporal-v1.5.1');
});
