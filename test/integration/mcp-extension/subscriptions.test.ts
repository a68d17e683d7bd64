import type { Client } from '@modelcontextprotocol/client';

import { callerOf } from '../../support/caller.ts';
import type { Caller } from '../../support/caller.ts';
import { eventually } from '../../support/rest.ts';
import { testWithStack } from './shared-stack.ts';
import { isNew, wayOf, WAYS } from './ways.ts';

const test = testWithStack();

const NO_TASK = 'switchboard://tasks/task_01928f00-0000-7000-8000-00000000dead';

interface Ear {
  readonly heard: string[];
  readonly prepare: (client: Client) => void;
}

function ear(): Ear {
  const heard: string[] = [];
  const prepare = (client: Client): void =>
    client.setNotificationHandler('notifications/resources/updated', ({ params }) => void heard.push(params.uri));
  return { heard, prepare };
}

/** Subscribes in the way of the protocol that is spoken; answers how to end it. */
async function subscribe(way: string, client: Client, uris: readonly string[]): Promise<() => Promise<unknown>> {
  if (isNew(way)) {
    const subscription = await client.listen({ resourceSubscriptions: [...uris] });
    return () => subscription.close();
  }
  for (const uri of uris) await client.subscribeResource({ uri });
  return () => Promise.all(uris.map((uri) => client.unsubscribeResource({ uri })));
}

const sent = async (from: Caller, target: string): Promise<string> =>
  (await from.post('/tasks/route', { target, type: 'review', title: 'Read me' })).body.task_id;

for (const [way, connect] of Object.entries(WAYS)) {
  test(`MCP-3: changes of subscribed resources are told, and no others (${way})`, async (t) => {
    t.timeout(60_000);
    const { stack } = t.context;
    const finance = callerOf(stack, 'finance-agent');
    const manager = callerOf(stack, 'manager-agent');
    const { heard, prepare } = ear();
    const client = await connect(t, { apiUrl: stack.apiUrl, key: finance.key }, { prepare });
    const [watched, other] = [await sent(finance, 'manager'), await sent(finance, 'manager')];
    const uri = `switchboard://tasks/${watched}`;
    const end = await subscribe(way, client, [uri, 'switchboard://inbox']);
    // The stream behind may still be opening: change until it is heard.
    await eventually(
      async () => {
        await manager.post(`/tasks/${watched}/claim`);
        await manager.post(`/tasks/${watched}/progress`, { percent: 10 });
        return heard.includes(uri) && heard.includes('switchboard://inbox');
      },
      (told) => told,
    );
    await manager.post(`/tasks/${other}/claim`);
    t.false(heard.includes(`switchboard://tasks/${other}`));

    await end();
    const before = heard.filter((one) => one === uri).length;
    await manager.post(`/tasks/${watched}/progress`, { percent: 50 });
    await new Promise((resolve) => setTimeout(resolve, 500));
    t.is(heard.filter((one) => one === uri).length, before);
  });

  test(`POL-3: nothing is told of what the caller may not see (${way})`, async (t) => {
    t.timeout(60_000);
    const { stack } = t.context;
    const hr = callerOf(stack, 'hr-agent');
    const legal = callerOf(stack, 'legal-agent');
    const foreign = callerOf(stack, 'finance-agent', 'other');
    const { heard, prepare } = ear();
    const client = await connect(t, { apiUrl: stack.apiUrl, key: foreign.key }, { prepare });
    const uri = `switchboard://tasks/${await sent(hr, 'legal')}`;
    const inbox = 'switchboard://inbox';
    if (isNew(way)) await subscribe(way, client, [uri, inbox]);
    else {
      await t.throwsAsync(client.subscribeResource({ uri }), { message: /not found/i });
      await client.subscribeResource({ uri: inbox });
    }
    await legal.post(`/tasks/${uri.slice(uri.lastIndexOf('/') + 1)}/claim`);
    await eventually(
      async () => {
        await foreign.post('/notifications', { target: foreign.id, message: 'mine' });
        return heard.includes(inbox);
      },
      (told) => told,
    );
    t.false(heard.includes(uri));
  });
}

test('MCP-3: what is no resource cannot be subscribed to, and breaks nothing', async (t) => {
  const { stack } = t.context;
  const key = stack.keys['finance-agent'] ?? '';
  const client = await wayOf('HTTP, 2025')(t, { apiUrl: stack.apiUrl, key });
  const wrong = [
    NO_TASK,
    'switchboard://',
    'switchboard://tasks/',
    'file:///etc/passwd',
    'x',
    '',
    '🦉',
    'a'.repeat(9_000),
  ];
  for (const uri of wrong)
    await t.throwsAsync(client.subscribeResource({ uri }), { message: /not found/i }, uri.slice(0, 40));
  for (const uri of wrong) await t.notThrowsAsync(client.unsubscribeResource({ uri }));
  await t.notThrowsAsync(client.subscribeResource({ uri: 'switchboard://inbox' }));
});
