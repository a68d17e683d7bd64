import { resultFromTaskOutcome } from '@modelcontextprotocol/ext-tasks/client';
import anyTest from 'ava';
import type { ExecutionContext, TestFn } from 'ava';

import { startMcpHttp } from '../../../mcp-extension/http.ts';
import type { McpHttp } from '../../../mcp-extension/http.ts';
import { callerOf } from '../../support/caller.ts';
import { startStack } from '../../support/stack.ts';
import type { TestStack } from '../../support/stack.ts';
import { httpClient, OPENING, rawServer } from './clients.ts';
import { CAPABILITIES, rpc, taskSession } from './tasks-client.ts';
import { silent } from './ways.ts';

interface Context {
  stack: TestStack;
  mcp: McpHttp;
}
const test = anyTest as TestFn<Context>;
const closers: (() => Promise<void>)[] = [];

const start = (apiUrl: string, elicitation = true): Promise<McpHttp> =>
  startMcpHttp({ port: 0, host: '127.0.0.1', apiUrl, log: silent, elicitation });

test.before(async (t) => {
  t.timeout(180_000);
  const stack = await startStack();
  const mcp = await start(stack.apiUrl);
  closers.push(
    () => mcp.close(),
    () => stack.close(),
  );
  t.context = { stack, mcp };
});

test.after.always(async () => {
  for (const close of closers) await close();
});

const TASK = { target: 'manager', type: 'review', title: 'Read me', as_task: true };
const APPROVAL = { subject: 'New laptop', reason: 'It broke', approver_role: 'finance', as_task: true };
const NO_TASK = 'task_01928f00-0000-7000-8000-00000000dead';

type T = ExecutionContext<Context>;
const keyOf = (t: T, name: string): string => t.context.stack.keys[name] ?? '';

async function sessionOf(t: T, name: string, options?: Parameters<typeof taskSession>[4]) {
  const key = keyOf(t, name);
  const client = await httpClient(t, t.context.mcp.url, key, 'auto', { capabilities: CAPABILITIES });
  return taskSession(t, client, t.context.mcp.url, key, options);
}

const call = (name: string, args: object) => ({ method: 'tools/call', params: { name, arguments: args } });
const get = (taskId: string) => ({ method: 'tasks/get', params: { taskId } });

test('MCP-4: send_task answers a handle, and the published client follows it to the result', async (t) => {
  const { stack } = t.context;
  const session = await sessionOf(t, 'finance-agent');
  const execution = await session.callTool('send_task', { ...TASK, output_schema: { type: 'object' } });
  if (execution.kind !== 'task') throw new Error('no handle');
  const id = execution.handle.taskId;
  t.regex(id, /^task_/);
  const manager = callerOf(stack, 'manager-agent');
  await manager.post(`/tasks/${id}/claim`);
  t.like(await session.task(id).snapshot(), { status: 'working', statusMessage: `${manager.id} works on it` });
  await manager.post(`/tasks/${id}/complete`, { result: { pages: 3 } });
  const { outcome } = await execution.settle();
  t.like(resultFromTaskOutcome(outcome), {
    structuredContent: { task_id: id, status: 'completed', result: { pages: 3 } },
  });
});

test('MCP-4: without the wish, or without the extension, the tools answer at once as ever', async (t) => {
  const { mcp } = t.context;
  const key = keyOf(t, 'finance-agent');
  const { as_task: _, ...plain } = TASK;
  t.like((await rpc(mcp.url, key, call('send_task', plain))).result, { resultType: 'complete' });
  const refused = await rpc(mcp.url, key, call('send_task', TASK), {});
  t.like(refused.result, { isError: true });
  t.regex(JSON.stringify(refused), /as_task: is not a field of send_task/);
  const byMeta = {
    method: 'tools/call',
    params: { name: 'send_task', arguments: plain, _meta: { 'switchboard/task': true } },
  };
  t.like((await rpc(mcp.url, key, byMeta)).result, { resultType: 'task', status: 'working', ttlMs: null });
  t.like((await rpc(mcp.url, key, byMeta, {})).result, { resultType: 'complete' });
  const odd = await rpc(mcp.url, key, call('send_task', { ...plain, as_task: 'yes' }));
  t.regex(JSON.stringify(odd), /as_task: is not a field/);
});

test('MCP-4: tools show the wish only to clients that know the extension', async (t) => {
  const list = { method: 'tools/list', params: {} };
  const shown = async (capabilities: object) => {
    const { result } = await rpc(t.context.mcp.url, keyOf(t, 'finance-agent'), list, capabilities);
    const tools = result?.['tools'] as { name: string; inputSchema: { properties: object } }[];
    return tools.filter(({ inputSchema }) => 'as_task' in inputSchema.properties).map(({ name }) => name);
  };
  t.deepEqual((await shown(CAPABILITIES)).toSorted(), ['request_approval', 'send_task']);
  t.deepEqual(await shown({}), []);
});

test('MCP-4: the states of tasks are those of the extension', async (t) => {
  const { stack, mcp } = t.context;
  const finance = callerOf(stack, 'finance-agent');
  const manager = callerOf(stack, 'manager-agent');
  const made = async () => (await finance.post('/tasks/route', { target: 'manager', type: 'x' })).body.task_id;
  const state = async (id: string) => (await rpc(mcp.url, finance.key, get(id))).result;
  const [pending, failed, declined, cancelled] = [await made(), await made(), await made(), await made()];
  await manager.post(`/tasks/${failed}/claim`);
  await manager.post(`/tasks/${failed}/fail`, { reason: 'no paper' });
  await manager.post(`/tasks/${declined}/decline`, { reason: 'not mine' });
  await finance.post(`/tasks/${cancelled}/cancel`);
  t.like(await state(pending), { resultType: 'complete', status: 'working', taskId: pending, pollIntervalMs: 2_000 });
  t.like(await state(failed), { status: 'completed', result: { isError: true } });
  t.regex(JSON.stringify(await state(failed)), /no paper/);
  t.true(['completed', 'working'].includes(String((await state(declined))?.['status'])));
  const last = await state(cancelled);
  t.like(last, { status: 'cancelled' });
  for (const field of ['result', 'error', 'inputRequests']) t.false(field in (last ?? {}), field);
});

test('MCP-4: tasks/cancel cancels a task and withdraws an approval; what has ended is acknowledged', async (t) => {
  const { stack, mcp } = t.context;
  const hr = callerOf(stack, 'hr-agent');
  for (const message of [call('send_task', TASK), call('request_approval', APPROVAL)]) {
    const id = String((await rpc(mcp.url, hr.key, message)).result?.['taskId']);
    const cancel = { method: 'tasks/cancel', params: { taskId: id } };
    for (let time = 0; time < 2; time += 1) {
      const { result } = await rpc(mcp.url, hr.key, cancel);
      t.is(result?.['resultType'], 'complete');
      t.false('status' in (result ?? {}));
    }
    t.like((await rpc(mcp.url, hr.key, get(id))).result, { status: 'cancelled' });
  }
});

test('MCP-4: a person who may decide finds the question in the task and answers it there', async (t) => {
  const { stack, mcp } = t.context;
  const { result } = await rpc(mcp.url, keyOf(t, 'hr-agent'), call('request_approval', APPROVAL));
  const id = String(result?.['taskId']);
  t.like(result, { resultType: 'task', status: 'working' });
  t.like((await rpc(mcp.url, keyOf(t, 'hr-agent'), get(id))).result, { status: 'working' });

  const tobias = keyOf(t, 'Tobias Renn');
  const asked = (await rpc(mcp.url, tobias, get(id))).result;
  t.like(asked, { status: 'input_required' });
  const [key = ''] = Object.keys(asked?.['inputRequests'] as object);
  t.notRegex(JSON.stringify(asked), /"shown"/);
  t.is((await rpc(mcp.url, tobias, get(id), { extensions: CAPABILITIES.extensions })).result?.['status'], 'working');

  const update = (inputResponses: unknown) => ({ method: 'tasks/update', params: { taskId: id, inputResponses } });
  const accept = (content: object) => ({ [key]: { action: 'accept', content } });
  for (const wrong of [accept({}), accept({ decision: 'yes' }), { [key]: { action: 'accept' } }, { [key]: {} }]) {
    t.is((await rpc(mcp.url, tobias, update(wrong))).error?.code, -32_602, JSON.stringify(wrong));
  }
  for (const left of [
    {},
    { [key]: { action: 'decline' } },
    { [key]: { action: 'cancel' } },
    { other: { action: 'accept' } },
  ]) {
    t.like((await rpc(mcp.url, tobias, update(left))).result, { resultType: 'complete' });
  }
  const foreign = await rpc(mcp.url, keyOf(t, 'hr-agent'), update(accept({ decision: 'approve' })));
  t.like(foreign.result, { resultType: 'complete' });
  t.like((await rpc(mcp.url, tobias, get(id))).result, { status: 'input_required' });

  t.like((await rpc(mcp.url, tobias, update(accept({ decision: 'approve' })))).result, { resultType: 'complete' });
  t.like((await rpc(mcp.url, keyOf(t, 'hr-agent'), get(id))).result, {
    status: 'completed',
    result: { structuredContent: { status: 'approved', votes: [{ by: stack.ids['Tobias Renn'] }] } },
  });
  t.like((await rpc(mcp.url, tobias, update(accept({ decision: 'reject' })))).result, { resultType: 'complete' });
});

test('MCP-4: the published client answers a question in a task', async (t) => {
  const { result } = await rpc(t.context.mcp.url, keyOf(t, 'hr-agent'), call('request_approval', APPROVAL));
  const session = await sessionOf(t, 'Priya Lindqvist', {
    onInputRequest: () => Promise.resolve({ action: 'accept', content: { decision: 'reject' } } as never),
  });
  const execution = await session.resumeTask({
    endpointId: 'switchboard-test',
    generation: 'v2',
    taskId: String(result?.['taskId']) as never,
    originalOperation: 'tools/call',
  });
  const { outcome } = await execution.settle();
  t.like(resultFromTaskOutcome(outcome), { structuredContent: { status: 'rejected' } });
});

test('POL-3, MCP-4: ids that are unknown, foreign or no ids are not found', async (t) => {
  const { stack, mcp } = t.context;
  const made = callerOf(stack, 'finance-agent', 'other');
  const foreign = (await made.post('/tasks/route', { target: 'manager', type: 'x' })).body.task_id;
  const unseen = (await callerOf(stack, 'hr-agent').post('/tasks/route', { target: 'legal', type: 'x' })).body.task_id;
  const sessionId = 'sess_01928f00-0000-7000-8000-00000000dead';
  for (const taskId of [
    foreign,
    unseen,
    NO_TASK,
    sessionId,
    'x',
    '🦉',
    '../tasks',
    "'; DROP TABLE tasks",
    'a'.repeat(200),
  ]) {
    for (const [method, more] of [
      ['tasks/get', {}],
      ['tasks/cancel', {}],
      ['tasks/update', { inputResponses: {} }],
    ] as const) {
      const { error } = await rpc(mcp.url, keyOf(t, 'support-agent'), { method, params: { taskId, ...more } });
      t.is(error?.code, -32_602, `${method} ${taskId}`);
      t.regex(error?.message ?? '', /^Task not found/);
    }
  }
});

test('MCP-4: handles work over stdio too, and from one connection to the next', async (t) => {
  const { stack } = t.context;
  const key = keyOf(t, 'finance-agent');
  const env = { SWITCHBOARD_API_URL: stack.apiUrl, SWITCHBOARD_API_KEY: key };
  const ask = async (message: { method: string; params: Record<string, unknown> }, capabilities: object) => {
    const server = rawServer(t, env);
    const _meta = {
      'io.modelcontextprotocol/protocolVersion': '2026-07-28',
      'io.modelcontextprotocol/clientCapabilities': capabilities,
    };
    server.send({ jsonrpc: '2.0', id: 1, method: message.method, params: { ...message.params, _meta } });
    return (await server.answer(1)) as { result?: Record<string, unknown>; error?: { code: number } };
  };
  const { result } = await ask(call('send_task', TASK), CAPABILITIES);
  t.like(result, { resultType: 'task', status: 'working' });
  const id = String(result?.['taskId']);
  t.like((await ask(get(id), CAPABILITIES)).result, { taskId: id, status: 'working' });
  t.is((await ask(get(id), {})).error?.code, -32_021);
  t.is((await ask(get(NO_TASK), CAPABILITIES)).error?.code, -32_602);
});

test('MCP-4: a 2025-era connection has no handles, and says so', async (t) => {
  const server = rawServer(t, { SWITCHBOARD_API_URL: t.context.stack.apiUrl, SWITCHBOARD_API_KEY: 'sbk_x' });
  for (const message of OPENING) server.send(message);
  for (const [id, method] of ['tasks/get', 'tasks/update', 'tasks/cancel', 'tasks/list', 'tasks/result'].entries()) {
    server.send({ jsonrpc: '2.0', id: id + 10, method, params: { taskId: NO_TASK } });
    t.like(await server.answer(id + 10), { error: { code: -32_601 } }, method);
  }
});

test('MCP-4: malformed messages of the extension are answered as such', async (t) => {
  const { mcp } = t.context;
  const key = keyOf(t, 'finance-agent');
  for (const params of [{}, { taskId: 1 }, { taskId: '' }, { taskId: null }, { taskId: 'x'.repeat(2_000) }]) {
    t.is((await rpc(mcp.url, key, { method: 'tasks/get', params })).error?.code, -32_602);
  }
  for (const inputResponses of [undefined, null, 1, 'x', [], { a: 1 }, { a: { method: 'x', result: {} } }]) {
    const params = { taskId: NO_TASK, inputResponses };
    t.is((await rpc(mcp.url, key, { method: 'tasks/update', params })).error?.code, -32_602);
  }
  for (const method of ['tasks/get', 'tasks/update', 'tasks/cancel']) {
    const { error } = await rpc(mcp.url, key, { method, params: { taskId: NO_TASK, inputResponses: {} } }, {});
    t.like(error, {
      code: -32_021,
      data: { requiredCapabilities: { extensions: { 'io.modelcontextprotocol/tasks': {} } } },
    });
  }
  t.is((await rpc(mcp.url, key, get(NO_TASK), CAPABILITIES, { 'mcp-name': 'another' })).error?.code, -32_020);
});
