import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';

import test from 'ava';
import type { ExecutionContext } from 'ava';

import { startMcpHttp } from '../../mcp-extension/http.ts';
import { cachedPackage } from '../support/cached-package.ts';
import { startStack } from '../support/stack.ts';

const run = promisify(execFile);
const TASK_ID = /task_[0-9a-f-]{36}/;
const server = path.resolve(import.meta.dirname, '../../mcp-extension/stdio-main.ts');
const silent = { info: () => undefined, warn: () => undefined, error: () => undefined };

const inspector = await cachedPackage({
  folder: 'inspector-2.12.0',
  spec: '@modelcontextprotocol/inspector@2.12.0',
  file: 'node_modules/@modelcontextprotocol/inspector/clients/launcher/build/index.js',
});

type Inspect = (...args: readonly string[]) => Promise<{ readonly [field: string]: unknown }>;

/** A test that shows as skipped, with the reason in its title, where the inspector cannot be had. */
function testWithInspector(title: string, body: (t: ExecutionContext, file: string) => Promise<void>): void {
  if ('missing' in inspector) test.skip(`${title} (skipped: ${inspector.missing})`, (t) => t.pass());
  else test(title, (t) => body(t, inspector.file));
}

async function stackOf(t: ExecutionContext): Promise<{ apiUrl: string; key: string }> {
  const stack = await startStack();
  t.teardown(() => stack.close());
  return { apiUrl: stack.apiUrl, key: stack.keys['finance-agent'] ?? '' };
}

async function inspect(file: string, before: readonly string[], after: readonly string[]): ReturnType<Inspect> {
  const args = [file, '--cli', ...before, ...after];
  const { stdout } = await run(process.execPath, args, { timeout: 60_000 });
  return JSON.parse(stdout) as Awaited<ReturnType<Inspect>>;
}

/** Lists the tools, sends a task and reads its status, as a person at the inspector would. */
async function walk(t: ExecutionContext, call: Inspect): Promise<void> {
  const listed = await call('--method', 'tools/list');
  const names = (listed['tools'] as readonly { name: string }[]).map(({ name }) => name);
  for (const name of ['send_task', 'request_approval', 'notify', 'fetch_status']) t.true(names.includes(name), name);

  const fields = JSON.stringify({ target: 'manager', type: 'budget_approval', description: 'Q1 hiring' });
  const sent = await call('--method', 'tools/call', '--tool-name', 'send_task', '--tool-args-json', fields);
  const { task_id } = sent['structuredContent'] as { task_id: string };
  t.regex(task_id, TASK_ID);

  const args = JSON.stringify({ task_id });
  const status = await call('--method', 'tools/call', '--tool-name', 'fetch_status', '--tool-args-json', args);
  t.like(status['structuredContent'], { id: task_id, kind: 'task' });
}

testWithInspector('MCP-6: the inspector finds no error in any tool`s schema', async (t, file) => {
  t.timeout(120_000);
  const args = [file, '--cli', '--method', 'tools/list', '--strict', process.execPath, server];
  const { stderr } = await run(process.execPath, args, { timeout: 60_000 });
  t.regex(stderr, /\b0 errors\b/);
});

testWithInspector('MCP-6: the inspector sends a task and reads its status over stdio', async (t, file) => {
  t.timeout(240_000);
  const { apiUrl, key } = await stackOf(t);
  const env = ['-e', `SWITCHBOARD_API_URL=${apiUrl}`, '-e', `SWITCHBOARD_API_KEY=${key}`];
  await walk(t, (...args) => inspect(file, [...args, ...env], ['--', process.execPath, server]));
});

for (const era of ['legacy', 'modern'] as const) {
  testWithInspector(`MCP-6: the inspector sends a task and reads its status over HTTP, ${era} era`, async (t, file) => {
    t.timeout(240_000);
    const { apiUrl, key } = await stackOf(t);
    const mcp = await startMcpHttp({ port: 0, host: '127.0.0.1', apiUrl, log: silent });
    t.teardown(() => mcp.close());
    const target = [mcp.url, '--protocol-era', era, '--header', `Authorization: Bearer ${key}`];
    await walk(t, (...args) => inspect(file, target, args));
  });
}
