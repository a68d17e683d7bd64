import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';

import test from 'ava';
import type { ExecutionContext } from 'ava';
import { stringify } from 'yaml';

import { getTask } from '../../contracts/tasks.ts';
import { createApiClient } from '../../mcp-extension/api-client.ts';
import { startMcpHttp } from '../../mcp-extension/http.ts';
import { cachedPackage } from '../support/cached-package.ts';
import { startModelServer } from '../support/model-server.ts';
import type { Conversation, ModelServer, ModelTurn } from '../support/model-server.ts';
import { startStack } from '../support/stack.ts';

const run = promisify(execFile);
const TASK_ID = /task_[0-9a-f-]{36}/;
const root = path.resolve(import.meta.dirname, '../..');
const silent = { info: () => undefined, warn: () => undefined, error: () => undefined };

const goose =
  process.platform === 'linux' && process.arch === 'x64'
    ? await cachedPackage({
        folder: 'goose-1.52.0',
        spec: '@aaif/goose-binary-linux-x64@1.52.0',
        file: 'node_modules/@aaif/goose-binary-linux-x64/bin/goose',
      })
    : { missing: 'goose 1.52.0 is fetched for Linux on x64 only' };

/** A test that shows as skipped, with the reason in its title, where goose cannot be had. */
function testWithGoose(title: string, body: (t: ExecutionContext, binary: string) => Promise<void>): void {
  if ('missing' in goose) test.skip(`${title} (skipped: ${goose.missing})`, (t) => t.pass());
  else test(title, (t) => body(t, goose.file));
}

/** Sends a task, asks for its status by the id it read in the result, and says so. */
function script({ results }: Conversation): ModelTurn {
  if (results.length === 0) {
    const task = {
      task_type: 'budget_approval',
      description: 'Approve the Q1 hiring budget',
      data: { amount: 125_000 },
    };
    return { tool: 'send_task', arguments: { target: 'manager', task, context: { priority: 'high' } } };
  }
  const id = TASK_ID.exec(results[0] ?? '')?.[0] ?? 'no task id in the result';
  if (results.length === 1) return { tool: 'fetch_status', arguments: { task_id: id } };
  return { text: `FINAL ${id} ${results[1]?.includes(id) ? 'was found' : 'was not found'}` };
}

interface Extension {
  readonly [setting: string]: unknown;
}

/** A home folder for goose with one extension and the scripted model as its provider. */
async function gooseHome(t: ExecutionContext, extension: Extension): Promise<string> {
  const home = await mkdtemp(path.join(os.tmpdir(), 'switchboard-goose-'));
  t.teardown(() => rm(home, { recursive: true, force: true }));
  const config = path.join(home, '.config', 'goose');
  await mkdir(config, { recursive: true });
  const settings = {
    active_provider: 'openai',
    providers: { openai: { enabled: true, model: 'scripted', configured: true } },
    GOOSE_MODE: 'auto',
    extensions: { switchboard: { name: 'switchboard', enabled: true, timeout: 60, envs: {}, ...extension } },
  };
  await writeFile(path.join(config, 'config.yaml'), stringify(settings));
  return home;
}

async function runGoose(binary: string, home: string, model: ModelServer, env: Record<string, string>) {
  const args = ['run', '--no-session', '--max-turns', '6', '-t', 'Have the manager approve the Q1 hiring budget.'];
  const { stdout } = await run(binary, args, {
    cwd: home,
    timeout: 90_000,
    env: {
      PATH: process.env['PATH'] ?? '',
      HOME: home,
      OPENAI_HOST: model.url,
      OPENAI_API_KEY: 'unused',
      GOOSE_PROVIDER: 'openai',
      GOOSE_MODEL: 'scripted',
      GOOSE_DISABLE_KEYRING: '1',
      GOOSE_DISABLE_SESSION_NAMING: '1',
      GOOSE_TELEMETRY_ENABLED: 'false',
      ...env,
    },
  });
  return stdout;
}

/** Runs the conversation and checks, through the API, that the task which goose speaks of is there. */
async function converse(
  t: ExecutionContext,
  binary: string,
  extension: Extension,
  env: Record<string, string>,
  api: { apiUrl: string; key: string },
): Promise<void> {
  const model = await startModelServer(script);
  t.teardown(() => model.close());
  const output = await runGoose(binary, await gooseHome(t, extension), model, env);
  const id = TASK_ID.exec(output)?.[0] ?? '';
  t.true(output.includes(`FINAL ${id} was found`), output);
  t.true(model.seen[0]?.offered.some((name) => name.endsWith('request_approval')));
  const task = await createApiClient({ baseUrl: api.apiUrl, key: api.key })(getTask, { task_id: id });
  t.is(task.task_type, 'budget_approval');
  t.is(task.target, 'manager');
}

async function financeStack(t: ExecutionContext): Promise<{ apiUrl: string; key: string }> {
  const stack = await startStack();
  t.teardown(() => stack.close());
  return { apiUrl: stack.apiUrl, key: stack.keys['finance-agent'] ?? '' };
}

testWithGoose('MCP-6, COMPAT-1: goose sends a task and reads its status over stdio', async (t, binary) => {
  t.timeout(240_000);
  const api = await financeStack(t);
  const extension = {
    type: 'stdio',
    cmd: process.execPath,
    args: [path.join(root, 'mcp-extension', 'stdio-main.ts')],
    env_keys: ['SWITCHBOARD_API_URL', 'SWITCHBOARD_API_KEY'],
  };
  const env = { SWITCHBOARD_API_URL: api.apiUrl, SWITCHBOARD_API_KEY: api.key };
  await converse(t, binary, extension, env, api);
});

testWithGoose('MCP-6: goose sends a task and reads its status over Streamable HTTP', async (t, binary) => {
  t.timeout(240_000);
  const api = await financeStack(t);
  const mcp = await startMcpHttp({ port: 0, host: '127.0.0.1', apiUrl: api.apiUrl, log: silent });
  t.teardown(() => mcp.close());
  const extension = {
    type: 'streamable_http',
    uri: mcp.url,
    headers: { Authorization: 'Bearer ${SWITCHBOARD_API_KEY}' },
    env_keys: ['SWITCHBOARD_API_KEY'],
  };
  await converse(t, binary, extension, { SWITCHBOARD_API_KEY: api.key }, api);
});

testWithGoose('DIR-5: goose itself finds every recipe file valid', async (t, binary) => {
  t.timeout(120_000);
  const folder = path.join(root, 'recipes');
  const files = (await readdir(folder, { recursive: true })).filter((file) => file.endsWith('.yaml'));
  t.true(files.length >= 18);
  const env = { PATH: process.env['PATH'], HOME: await mkdtemp(path.join(os.tmpdir(), 'switchboard-goose-')) };
  t.teardown(() => rm(env.HOME, { recursive: true, force: true }));
  for (const file of files) {
    const args = ['recipe', 'validate', path.join(folder, file)];
    const { stdout } = await run(binary, args, { env: { ...env, GOOSE_DISABLE_KEYRING: '1' } });
    t.regex(stdout, /valid/, file);
  }
});
