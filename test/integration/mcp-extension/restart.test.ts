import type { Client } from '@modelcontextprotocol/client';
import test from 'ava';

import { callerWith } from '../../support/caller.ts';
import type { Caller } from '../../support/caller.ts';
import { startScenarioStack } from '../../support/scenario-stack.ts';
import { httpClient, until } from './clients.ts';
import { rpc } from './tasks-client.ts';

const call = (name: string, args: object) => ({ method: 'tools/call', params: { name, arguments: args } });
const get = (taskId: string) => ({ method: 'tasks/get', params: { taskId } });

test('MCP-3, MCP-4, TASK-7: handles and subscriptions survive kill -9 of the extension, the API and the worker', async (t) => {
  t.timeout(300_000);
  const { stack, place, close } = await startScenarioStack({ supervise: false });
  t.teardown(close);
  const who = (name: string): Caller => {
    const found = place.keys.keys.find((one) => one.name === name);
    if (!found) throw new Error(`no ${name}`);
    return callerWith(place.apiUrl, found);
  };
  const [hr, manager, tobias] = [who('hr-agent'), who('manager-agent'), who('Tobias Renn')];
  const url = stack.addresses.mcp;
  const made = async (name: string, args: object): Promise<string> => {
    const { result } = await rpc(url, hr.key, call(name, { ...args, as_task: true }));
    t.is(result?.['resultType'], 'task', JSON.stringify(result));
    return String(result?.['taskId']);
  };
  const task = await made('send_task', { target: 'manager', type: 'review' });
  const approval = await made('request_approval', { subject: 'Laptop', approver_role: 'finance' });

  for (const part of ['mcp', 'api', 'worker']) await stack.kill(part);
  for (const part of ['api', 'worker', 'mcp']) await stack.restart(part);

  for (const id of [task, approval]) {
    t.like((await rpc(url, hr.key, get(id))).result, { taskId: id, status: 'working' });
  }
  const uri = `switchboard://tasks/${task}`;
  const heard: string[] = [];
  const prepare = (client: Client): void =>
    client.setNotificationHandler('notifications/resources/updated', ({ params }) => void heard.push(params.uri));
  const client = await httpClient(t, url, hr.key, 'legacy', { prepare });
  await client.subscribeResource({ uri });
  await manager.post(`/tasks/${task}/claim`);
  await until(() => heard.includes(uri) || undefined);
  await stack.kill('api');
  await stack.restart('api');
  heard.length = 0;
  await manager.post(`/tasks/${task}/progress`, { percent: 50 });
  await until(() => heard.includes(uri) || undefined);
  await manager.post(`/tasks/${task}/complete`, { result: { pages: 3 } });
  await tobias.post(`/approvals/${approval}/respond`, { decision: 'approve' });
  await stack.kill('mcp');
  await stack.restart('mcp');
  t.like((await rpc(url, hr.key, get(task))).result, {
    status: 'completed',
    result: { structuredContent: { result: { pages: 3 } } },
  });
  t.like((await rpc(url, hr.key, get(approval))).result, {
    status: 'completed',
    result: { structuredContent: { status: 'approved' } },
  });
});
