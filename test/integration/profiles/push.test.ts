import type { Client } from '@modelcontextprotocol/client';
import { createParser } from 'eventsource-parser';

import { callerOf } from '../../support/caller.ts';
import { eventually } from '../../support/rest.ts';
import { addAgent } from '../../support/scene.ts';
import { testWithStack } from '../mcp-extension/shared-stack.ts';
import { isNew, WAYS } from '../mcp-extension/ways.ts';

const test = testWithStack();
const ADMINISTRATOR = 'Helena Voss';

interface Heard {
  readonly event: string;
  readonly data: Record<string, unknown>;
}

/** Listens on /stream as somebody until the signal; what is heard grows in the list. */
async function listen(apiUrl: string, key: string, signal: AbortSignal): Promise<Heard[]> {
  const heard: Heard[] = [];
  const response = await fetch(`${apiUrl}/stream?topics=profiles`, { headers: { authorization: `Bearer ${key}` }, signal });
  const parser = createParser({
    onEvent: ({ event = '', data }) =>
      void heard.push({ event, data: JSON.parse(data) as Record<string, unknown>}),
  });
  const read = async (): Promise<void> => {
    const decoder = new TextDecoder();
    for await (const chunk of response.body ?? []) parser.feed(decoder.decode(chunk as Uint8Array, { stream: true }));
  };
  read().catch(() => undefined);
  return heard;
}

test('DIR-2: a new version is told to the agents of the role on /stream, and to nobody else', async (t) => {
  t.timeout(60_000);
  const { stack } = t.context;
  const ends = new AbortController();
  t.teardown(() => ends.abort());
  const ears = async (name: string, of: 'own' | 'other' = 'own') =>
    listen(stack.apiUrl, callerOf(stack, name, of).key, ends.signal);
  const [hr, legal, foreign] = [await ears('hr-agent'), await ears('legal-agent'), await ears('hr-agent', 'other')];
  const changed = await callerOf(stack, ADMINISTRATOR).put('/admin/profiles/hr', { restore: 1 });
  t.is(changed.status, 200);
  const [first] = await eventually(
    () => Promise.resolve(hr),
    (heard) => heard.length > 0);
  t.is(first?.event, 'profiles');
  t.like(first?.data, { type: 'profile.changed', role: 'hr', version: 2, digest: changed.body.digest });
  t.deepEqual([...legal, ...foreign], []);
});

test('DIR-2: the first sign of life of an agent pushes the profile that was assigned to it, once', async (t) => {
  const { stack } = t.context;
  const ends = new AbortController();
  t.teardown(() => ends.abort());
  const agent = await addAgent(stack, 'support');
  const heard = await listen(stack.apiUrl, agent.key, ends.signal);
  for (const status of ['online', 'offline', 'online']) await agent.post('/agents/me/heartbeat', { status });
  await eventually(
    () => Promise.resolve(heard),
    (events) => events.length > 0);
  t.like(heard[0]?.data, { type: 'profile.assigned', role: 'support', version: 1 });
  await new Promise((resolve) => setTimeout(resolve, 500));
  t.is(heard.length, 1);
});

/** Roles of their own, since the ways run side by side. */
const ROLE_OF: Readonly<Record<string, string>> = {
  'stdio, 2025': 'marketing',
  'stdio, 2026': 'developer',
  'HTTP, 2025': 'finance',
  'HTTP, 2026': 'manager',
};

const toolsOf = async (client: Client): Promise<string[]> => (await client.listTools()).tools.map(({ name }) => name);

for (const [way, connect] of Object.entries(WAYS)) {
  test(`MCP-1: a client hears that its tools changed, and has those of the new profile (${way})`, async (t) => {
    t.timeout(120_000);
    const { stack } = t.context;
    const role = ROLE_OF[way] ?? '';
    let told = 0;
    let updated = 0;
    const prepare = (client: Client): void => {
      client.setNotificationHandler('notifications/tools/list_changed', () => void (told += 1));
      client.setNotificationHandler('notifications/resources/updated', () => void (updated += 1));
    };
    const key = stack.keys[`${role}-agent`] ?? '';
    // Its first sign of life, which pushes its profile too, is not what is looked for here.
    await callerOf(stack, `${role}-agent`).post('/agents/me/heartbeat');
    const client = await connect(t, { apiUrl: stack.apiUrl, key }, { prepare });
    t.true((await toolsOf(client)).includes('send_task'));
    const uri = 'switchboard://profile';
    if (isNew(way)) {
      const subscription = await client.listen({ toolsListChanged: true, resourceSubscriptions: [uri] });
      t.teardown(() => subscription.close());
    } else {
      await client.subscribeResource({ uri });
    }
    const administrator = callerOf(stack, ADMINISTRATOR);
    const profile = (await administrator.get<Record<string, unknown>>(`/profiles/${role}`)).body;
    const extensions = [{ name: 'switchboard', tools: ['fetch_status', 'notify'] }];
    // The stream behind may still be opening: change until it is heard.
    await eventually(
      async () => {
        if (told === 0) await administrator.put(`/admin/profiles/${role}`, { profile: { ...profile, extensions } });
        await new Promise((resolve) => setTimeout(resolve, 500));
        return told > 0 && updated > 0;
      },
      (heard) => heard,
      30_000,
    );
    t.deepEqual(await toolsOf(client), ['notify', 'fetch_status']);
    // Refused by the extension while it remembers the list, else by the API.
    const refused = await client.callTool({ name: 'send_task', arguments: { target: 'hr', type: 'x' } }).then(
      ({ isError }) => isError === true,
      () => true,
    );
    t.true(refused);
    const { contents } = await client.readResource({ uri });
    const [content] = contents;
    const text = content && 'text' in content ? content.text : '{}';
    t.true((JSON.parse(text) as { version: number }).version > 1);
    await administrator.put(`/admin/profiles/${role}`, { restore: 1 });
    await eventually(() => toolsOf(client), (tools) => tools.includes('send_task'), 30_000);
  });
}
