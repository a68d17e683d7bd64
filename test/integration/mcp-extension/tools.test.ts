import type { Client } from '@modelcontextprotocol/client';
import anyTest from 'ava';
import type { ExecutionContext, TestFn } from 'ava';

import { startMcpHttp } from '../../../mcp-extension/http.ts';
import { startStack } from '../../support/stack.ts';
import { callTool, httpClient, stdioClient } from './clients.ts';

interface Context {
  apiUrl: string;
  mcpUrl: string;
  keys: Record<string, string>;
}
const test = anyTest as TestFn<Context>;
const silent = { info: () => undefined, warn: () => undefined, error: () => undefined };
const closers: (() => Promise<void>)[] = [];

test.before(async (t) => {
  t.timeout(180_000);
  const stack = await startStack();
  const mcp = await startMcpHttp({ port: 0, host: '127.0.0.1', apiUrl: stack.apiUrl, log: silent });
  closers.push(
    () => mcp.close(),
    () => stack.close(),
  );
  t.context = { apiUrl: stack.apiUrl, mcpUrl: mcp.url, keys: stack.keys };
});

test.after.always(async () => {
  for (const close of closers) await close();
});

const keyOf = (t: ExecutionContext<Context>, name: string): string => t.context.keys[name] ?? '';

const WAYS: Record<string, (t: ExecutionContext<Context>, name: string) => Promise<Client>> = {
  'stdio, 2025': (t, name) =>
    stdioClient(t, { SWITCHBOARD_API_URL: t.context.apiUrl, SWITCHBOARD_API_KEY: keyOf(t, name) }),
  'stdio, 2026': (t, name) =>
    stdioClient(t, { SWITCHBOARD_API_URL: t.context.apiUrl, SWITCHBOARD_API_KEY: keyOf(t, name) }, 'auto'),
  'HTTP, 2025': (t, name) => httpClient(t, t.context.mcpUrl, keyOf(t, name)),
  'HTTP, 2026': (t, name) => httpClient(t, t.context.mcpUrl, keyOf(t, name), 'auto'),
};

const TASK = { task_type: 'budget_approval', description: 'Q1 hiring', data: { amount: 125_000 } };
const NO_TASK = 'task_01928f00-0000-7000-8000-00000000dead';

for (const [way, connect] of Object.entries(WAYS)) {
  test(`COMPAT-1, MCP-2: the four tools work with their original arguments (${way})`, async (t) => {
    const client = await connect(t, 'finance-agent');
    const sent = await callTool(client, 'send_task', { target: 'manager', task: TASK, context: { priority: 'high' } });
    t.false(sent.failed, sent.text);
    const id = String(sent.output['task_id']);
    for (const part of [id, '**Status:**', '**Target:** manager', '**Trace ID:**', 'fetch_status']) {
      t.true(sent.text.includes(part), part);
    }

    const status = await callTool(client, 'fetch_status', { task_id: id });
    t.like(status.output, { id, kind: 'task' });
    t.like(status.output['task'], { task_type: 'budget_approval', data: { amount: 125_000 } });

    const asked = await callTool(client, 'request_approval', {
      task_id: id,
      approver_role: 'manager',
      reason: 'Over the limit of finance',
      decision: 'pending',
      comments: '',
    });
    t.false(asked.failed, asked.text);
    t.like(asked.output, { status: 'pending', task_id: id });
    for (const part of ['Task ID (Approval Request)', `**Original Task:** ${id}`, '**Approver Role:** manager']) {
      t.true(asked.text.includes(part), part);
    }

    const told = await callTool(client, 'notify', { target: 'manager', message: 'Please look', priority: 'high' });
    t.false(told.failed, told.text);
    t.true(told.text.includes('**Priority:** high'));
  });

  test(`MCP-2: failures are tool errors that say what to do (${way})`, async (t) => {
    const client = await connect(t, 'finance-agent');
    const wrong = await callTool(client, 'send_task', { task: TASK, surprise: 1 });
    t.true(wrong.failed);
    t.like(wrong.problem, { code: 'invalid_input', status: 400 });
    for (const part of ['/target: is missing', '/surprise: is not a field', 'What to do', 'Trace ID']) {
      t.true(wrong.text.includes(part), part);
    }
    const lost = await callTool(client, 'fetch_status', { task_id: NO_TASK });
    t.true(lost.failed);
    t.is(lost.problem['code'], 'not_found');
    const nobody = await callTool(client, 'send_task', { target: 'nobody', type: 'x' });
    t.is(nobody.problem['code'], 'unknown_target');
    await t.throwsAsync(client.callTool({ name: 'no_such_tool', arguments: {} }), { message: /no_such_tool/ });
    t.true((await client.listTools()).tools.length > 20);
  });

  test(`MCP-3: inbox, tasks and approvals are resources (${way})`, async (t) => {
    const client = await connect(t, 'finance-agent');
    const sent = await callTool(client, 'send_task', { target: 'manager', type: 'review', title: 'Read me' });
    const id = String(sent.output['task_id']);
    const { contents } = await client.readResource({ uri: `switchboard://tasks/${id}` });
    const [content] = contents;
    t.is(content?.mimeType, 'application/json');
    const shown = JSON.parse(content && 'text' in content ? content.text : '{}') as unknown;
    t.like(shown, { id, title: 'Read me' });

    const inbox = await client.readResource({ uri: 'switchboard://inbox' });
    t.regex(JSON.stringify(inbox.contents), /\\"approvals\\"/);
    const { resourceTemplates } = await client.listResourceTemplates();
    t.deepEqual(resourceTemplates.map(({ uriTemplate }) => uriTemplate).toSorted(), [
      'switchboard://approvals/{id}',
      'switchboard://sessions/{id}',
      'switchboard://tasks/{id}',
    ]);
    for (const uri of [`switchboard://tasks/${NO_TASK}`, 'switchboard://sessions/x', 'switchboard://nothing']) {
      await t.throwsAsync(client.readResource({ uri }), { message: /not found/i }, uri);
    }
  });
}

test('COMPAT-1: arguments wrapped in params, as an object or as JSON text, do the same', async (t) => {
  const client = await httpClient(t, t.context.mcpUrl, keyOf(t, 'finance-agent'));
  const fields = { target: 'manager', task: TASK };
  for (const params of [fields, JSON.stringify(fields)]) {
    const sent = await callTool(client, 'send_task', { params });
    t.false(sent.failed, sent.text);
    const status = await callTool(client, 'fetch_status', { params: { task_id: sent.output['task_id'] } });
    t.like(status.output['task'], { data: { amount: 125_000 } });
  }
});

test('MCP-5: a key that the API does not know is a tool error, over both transports', async (t) => {
  const clients = [
    await httpClient(t, t.context.mcpUrl, 'sbk_unknown'),
    await stdioClient(t, { SWITCHBOARD_API_URL: t.context.apiUrl, SWITCHBOARD_API_KEY: 'sbk_unknown' }),
  ];
  for (const client of clients) {
    const refused = await callTool(client, 'send_task', { target: 'manager', type: 'x' });
    t.is(refused.problem['code'], 'unauthenticated');
    t.notRegex(refused.text, /sbk_unknown/);
  }
});
