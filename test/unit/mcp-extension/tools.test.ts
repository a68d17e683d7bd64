import { Client } from '@modelcontextprotocol/client';
import { InMemoryTransport } from '@modelcontextprotocol/server';
import test from 'ava';

import { toolOperations } from '../../../contracts/index.ts';
import { createSwitchboardServer } from '../../../mcp-extension/server.ts';
import { chooseTools, TOOLSETS } from '../../../mcp-extension/toolsets.ts';

const never = () => Promise.reject(new Error('not called'));

async function listed(names?: string) {
  const [ours, theirs] = InMemoryTransport.createLinkedPair();
  const server = createSwitchboardServer({ call: never, tools: chooseTools({ tools: names }) });
  await server.connect(ours);
  const client = new Client({ name: 'test', version: '1.0.0' });
  await client.connect(theirs);
  const { tools } = await client.listTools();
  await client.close();
  return tools;
}

test('MCP-1: the names of the tools are pinned', async (t) => {
  const names = (await listed()).map(({ name }) => name);
  t.deepEqual(names.toSorted(), [
    'cancel_task',
    'claim_task',
    'complete_task',
    'decide_approval',
    'decline_task',
    'fail_task',
    'fetch_status',
    'handoff_session',
    'handoff_task',
    'join_session',
    'list_approvals',
    'list_tasks',
    'notify',
    'open_session',
    'read_context',
    'redeem_approval',
    'report_progress',
    'request_approval',
    'retry_task',
    'revise_approval',
    'send_task',
    'update_session',
    'write_context',
  ]);
});

test('MCP-2: every tool has title, description, annotations and object schemas', async (t) => {
  for (const tool of await listed()) {
    t.is(tool.inputSchema.type, 'object', tool.name);
    t.is(tool.inputSchema['additionalProperties'], false, tool.name);
    t.is(tool.outputSchema?.type, 'object', tool.name);
    t.truthy(tool.title, tool.name);
    t.truthy(tool.description, tool.name);
    t.is(typeof tool.annotations?.readOnlyHint, 'boolean', tool.name);
  }
});

test('MCP-2: annotations tell reading, destroying and the rest apart', async (t) => {
  const hints = new Map((await listed()).map(({ name, annotations }) => [name, annotations]));
  t.true(hints.get('fetch_status')?.readOnlyHint);
  t.true(hints.get('fetch_status')?.idempotentHint);
  t.false(hints.get('send_task')?.readOnlyHint);
  t.false(hints.get('send_task')?.idempotentHint);
  t.true(hints.get('cancel_task')?.destructiveHint);
});

test('COMPAT-1: the four tools advertise their original fields, flat, and `params` beside them', async (t) => {
  const fields = new Map(
    (await listed()).map(({ name, inputSchema }) => [name, Object.keys(inputSchema.properties ?? {})]),
  );
  const original = {
    send_task: ['target', 'task', 'context', 'params'],
    request_approval: ['task_id', 'approver_role', 'reason', 'decision', 'comments', 'params'],
    notify: ['target', 'message', 'priority', 'params'],
    fetch_status: ['task_id', 'params'],
  };
  for (const [tool, names] of Object.entries(original)) {
    for (const name of names) t.true(fields.get(tool)?.includes(name), `${tool}.${name}`);
  }
});

test('MCP-1: toolsets limit what is offered, and every tool is in one of them', (t) => {
  const inSets = new Set<string>(Object.values(TOOLSETS).flat());
  t.deepEqual([...inSets].toSorted(), toolOperations.map(({ name }) => name).toSorted());
  const names = chooseTools({ tools: 'notify', toolsets: 'approve' }).map(({ name }) => name);
  t.deepEqual(names.toSorted(), [...TOOLSETS.approve, 'notify'].toSorted());
  t.is(chooseTools({ tools: ' ', toolsets: '' }), toolOperations);
});

test('MCP-1: a tool or a toolset that does not exist is refused by name', (t) => {
  t.throws(() => chooseTools({ tools: 'send_tsak' }), { message: /No such tool: send_tsak\. There are: .*send_task/ });
  t.throws(() => chooseTools({ toolsets: 'constructor' }), { message: /No such toolset: constructor/ });
});

test('X-2: the trace of the client goes on to the API; without one there is a new one', async (t) => {
  const traces: (string | undefined)[] = [];
  const call = (_operation: unknown, _input: unknown, options?: { traceId?: string }) => {
    traces.push(options?.traceId);
    return Promise.reject(new Error('secret inside'));
  };
  const [ours, theirs] = InMemoryTransport.createLinkedPair();
  await createSwitchboardServer({ call }).connect(ours);
  const client = new Client({ name: 'test', version: '1.0.0' });
  await client.connect(theirs);
  const params = { name: 'notify', arguments: { target: 'manager', message: 'hello' } };
  const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
  await client.callTool({ ...params, _meta: { traceparent } });
  await client.callTool({ ...params, _meta: { traceparent: 'nonsense' } });
  const result = await client.callTool(params);
  await client.close();
  t.is(traces[0], '4bf92f3577b34da6a3ce929d0e0e4736');
  t.is(new Set(traces).size, 3);
  t.true(result.isError);
  t.notRegex(JSON.stringify(result), /secret inside/);
});
