import path from 'node:path';
import test from 'ava';

import { ConfigVariables, loadConfig, variableName } from '../../../platform/config.ts';
import { environmentOf, foreignEnvironment } from '../../../platform/environment.ts';

test('OPS-1: without any variable the documented ports and folders hold', (t) => {
  const config = loadConfig({});
  t.is(config.apiPort, 8088);
  t.is(config.mcpPort, 8091);
  t.is(config.temporalTaskQueue, 'switchboard');
  t.is(path.basename(config.dataDir), '.data');
  t.is(config.keysFile, path.join(config.dataDir, 'keys.json'));
  t.is(config.publicUrl, 'http://127.0.0.1:8088');
  t.is(config.databaseUrl, undefined);
});

test('OPS-1: variables are read, empty ones count as unset', (t) => {
  const config = loadConfig({
    SWITCHBOARD_API_PORT: '9000',
    SWITCHBOARD_API_HOST: '0.0.0.0',
    SWITCHBOARD_MCP_PORT: '',
    SWITCHBOARD_WEBHOOK_ALLOW_PRIVATE: 'true',
    SWITCHBOARD_DATA_DIR: 'somewhere',
  });
  t.is(config.apiPort, 9000);
  t.is(config.apiUrl, 'http://127.0.0.1:9000');
  t.is(config.mcpPort, 8091);
  t.true(config.webhookAllowPrivate);
  t.is(config.dataDir, path.resolve('somewhere'));
});

test('OPS-1: every fault is named at once, by its variable and without its value', (t) => {
  const bad = {
    SWITCHBOARD_API_PORT: '99999',
    SWITCHBOARD_MCP_PORT: 'eighty',
    SWITCHBOARD_DATABASE_URL: 'mysql://root:hunter2@x/y',
    SWITCHBOARD_LOG_LEVEL: 'loud',
  };
  const { message } = t.throws(() => loadConfig(bad));
  for (const name of Object.keys(bad)) t.true(message.includes(name), name);
  t.false(message.includes('hunter2'));
});

test('OPS-1: a child process reads the same configuration from the environment made for it', (t) => {
  const config = loadConfig({ SWITCHBOARD_API_PORT: '1234', SWITCHBOARD_DATABASE_URL: 'postgres://a:b@h/d' });
  t.deepEqual(loadConfig(environmentOf(config)), config);
});

test('OPS-1: a child process never gets the credentials of the owner of the tables', (t) => {
  const config = loadConfig({ SWITCHBOARD_DATABASE_OWNER_URL: 'postgres://o:p@h/d', SWITCHBOARD_API_KEY: 'sbk_x' });
  t.is(environmentOf(config)['SWITCHBOARD_DATABASE_OWNER_URL'], undefined);
  t.is(environmentOf(config)['SWITCHBOARD_API_KEY'], undefined);
  t.deepEqual(foreignEnvironment({ PATH: '/bin', SWITCHBOARD_DATABASE_OWNER_URL: 'x' }), { PATH: '/bin' });
});

test('OPS-1: every setting has a description and a variable of its own name', (t) => {
  for (const [setting, schema] of Object.entries(ConfigVariables.shape)) t.truthy(schema.description, setting);
  t.is(variableName('temporalUiPort'), 'SWITCHBOARD_TEMPORAL_UI_PORT');
});
