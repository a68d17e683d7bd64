import http from 'node:http';
import type { IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';

import test from 'ava';
import { Webhook } from 'standardwebhooks';

import { refusedAddress } from '../../../platform/outbound-address.ts';
import { callerOf } from '../../support/caller.ts';
import type { Body, Caller } from '../../support/caller.ts';
import { eventually } from '../../support/rest.ts';
import { addAgent } from '../../support/scene.ts';
import { startStack } from '../../support/stack.ts';
import type { TestStack } from '../../support/stack.ts';

let stack: TestStack;
test.before(async (t) => {
  t.timeout(180_000);
  stack = await startStack();
});
test.after.always(() => stack.close());

const by = (name: string): Caller => callerOf(stack, name);
const sleep = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds));
const titles = async (who: Caller, query = ''): Promise<unknown[]> =>
  (await who.get(`/notifications${query}`)).body.notifications.map((note) => note['title']);

interface Told {
  readonly id: string;
  readonly topic: string;
  readonly data: Record<string, unknown>;
}
interface Listening {
  readonly told: Told[];
  readonly status: number;
  close(): void;
}

/** Listens to /stream until it is closed. */
async function listen(who: Caller, query = '', headers: Record<string, string> = {}): Promise<Listening> {
  const stop = new AbortController();
  const response = await fetch(`${stack.apiUrl}/stream${query}`, {
    headers: { authorization: `Bearer ${who.key}`, ...headers },
    signal: stop.signal,
  });
  const told: Told[] = [];
  const read = async (): Promise<void> => {
    let text = '';
    for await (const chunk of response.body ?? []) {
      text += Buffer.from(chunk as Uint8Array).toString();
      const blocks = text.split('\n\n');
      text = blocks.pop() ?? '';
      for (const block of blocks) {
        const field = (name: string): string | undefined => new RegExp(`^${name}: (.*)$`, 'm').exec(block)?.[1];
        const [id, topic, data] = [field('id'), field('event'), field('data')];
        if (id !== undefined && topic !== undefined && data !== undefined)
          told.push({ id, topic, data: JSON.parse(data) as Record<string, unknown> });
      }
    }
  };
  void read().catch(() => undefined);
  return { told, status: response.status, close: () => stop.abort() };
}

test('NOTE-1: to an agent, a role, a person and everybody of a session', async (t) => {
  const from = by('finance-agent');
  const { body: session } = await from.post('/sessions', { participants: ['hr', by('legal-agent').id] });
  for (const [target, receivers, strangers] of [
    [by('hr-agent').id, ['hr-agent'], ['Greta Mbeki', 'legal-agent']],
    ['hr', ['hr-agent', 'Greta Mbeki', 'Samir Dunne'], ['legal-agent', 'finance-agent']],
    [by('Felix Amaro').id, ['Felix Amaro'], ['legal-agent', 'Noor Halvorsen']],
    [session.session_id, ['hr-agent', 'Greta Mbeki', 'legal-agent'], ['Noor Halvorsen', 'finance-agent']],
  ] as const) {
    const title = `to ${target}`;
    const { status, body } = await from.post('/notifications', { target, title, message: 'm', level: 'critical' });
    t.is(status, 202, JSON.stringify(body));
    t.like(body, { status: 'sent', target, task_id: body.notification_id });
    for (const name of receivers)
      t.is((await titles(by(name))).filter((one) => one === title).length, 1, `${name} ${title}`);
    for (const name of strangers) t.false((await titles(by(name))).includes(title), `${name} ${title}`);
  }
});

test('NOTE-1: a notification that asks for it waits until it is acknowledged, once, by who got it', async (t) => {
  const from = by('finance-agent');
  const { body } = await from.post('/notifications', {
    target: 'legal',
    title: 'ack me',
    message: 'm',
    ack_required: true,
  });
  const id = body.notification_id;
  t.is((await by('hr-agent').post(`/notifications/${id}/ack`)).status, 404);
  t.is((await from.post(`/notifications/${id}/ack`)).status, 404, 'nor who sent it');
  t.true((await titles(by('legal-agent'), '?unacked=true')).includes('ack me'));
  const first = await by('legal-agent').post(`/notifications/${id}/ack`);
  t.like(first.body, { acked_by: by('legal-agent').id });
  const second = await by('Felix Amaro').post(`/notifications/${id}/ack`);
  t.deepEqual([second.body['acked_by'], second.body['acked_at']], [first.body['acked_by'], first.body['acked_at']]);
  t.false((await titles(by('legal-agent'), '?unacked=true')).includes('ack me'));
  t.is((await from.get(`/status/${id}`)).body.status, 'acknowledged');
});

test('NOTE-1, COMPAT-1: priorities of older clients are levels', async (t) => {
  const from = by('finance-agent');
  const to = await addAgent(stack, 'legal');
  for (const priority of ['low', 'normal', 'high'])
    await from.post('/notifications', { target: to.id, message: priority, priority });
  const { notifications } = (await to.get('/notifications?sort=created')).body;
  t.deepEqual(
    notifications
      .filter((note) => ['low', 'normal', 'high'].includes(String(note['message'])))
      .map((note) => [note['message'], note['level']]),
    [
      ['low', 'info'],
      ['normal', 'info'],
      ['high', 'warning'],
    ],
  );
  const page = await to.get('/notifications?limit=2');
  t.is(page.body.notifications.length, 2);
  t.true(
    (await to.get(`/notifications?limit=2&cursor=${String(page.body.next_cursor)}`)).body.notifications.length >= 1,
  );
});

test('NOTE-1: personal values are masked for whoever is not cleared', async (t) => {
  const from = by('finance-agent');
  const message = 'call +49 30 901820 or ann@example.com';
  const { body } = await from.post('/notifications', {
    target: 'developer',
    message,
    data: { mail: 'ann@example.com' },
  });
  t.deepEqual((body['masked'] as { type: string }[]).map(({ type }) => type).sort(), ['email', 'phone']);
  t.false(JSON.stringify((await by('developer-agent').get('/notifications')).body).includes('ann@example.com'));
  await from.post('/notifications', { target: 'support', message });
  t.true(JSON.stringify((await by('support-agent').get('/notifications')).body).includes(message));
});

test('X-7: the stream tells what the caller may see, by topic', async (t) => {
  const [from, to] = [by('finance-agent'), by('hr-agent')];
  const listeners = {
    from: await listen(from),
    to: await listen(to, '?topics=tasks,notifications'),
    stranger: await listen(by('legal-agent')),
    administrator: await listen(by('Helena Voss'), '?topics=tasks'),
    foreign: await listen(callerOf(stack, 'Helena Voss', 'other')),
  };
  const { body } = await from.post('/tasks/route', { target: to.id, type: 'x' });
  await to.post(`/tasks/${body.task_id}/claim`);
  await to.post(`/tasks/${body.task_id}/complete`, {});
  await eventually(
    () => Promise.resolve(listeners.from.told.filter(({ data }) => data['id'] === body.task_id).length),
    (count) => count === 3,
  );
  await sleep(500);
  const seen = (listening: Listening): unknown[] =>
    listening.told.filter(({ data }) => data['id'] === body.task_id).map(({ data }) => data['type']);
  const all = ['task.sent', 'task.claimed', 'task.completed'];
  t.deepEqual(seen(listeners.from), all);
  t.deepEqual(seen(listeners.to), all);
  t.deepEqual(seen(listeners.administrator), all);
  t.deepEqual(seen(listeners.stranger), []);
  t.deepEqual(listeners.foreign.told, []);
  t.true(
    listeners.from.told.some(({ topic, data }) => topic === 'notifications' && data['subject_id'] === body.task_id),
  );
  t.true(listeners.administrator.told.every(({ topic }) => topic === 'tasks'));
  for (const listening of Object.values(listeners)) listening.close();
});

test('X-7: it goes on from Last-Event-ID without loss or repetition while others write', async (t) => {
  const to = await addAgent(stack, 'hr');
  const senders = ['finance-agent', 'legal-agent', 'manager-agent', 'support-agent'].map(by);
  const sent: string[] = [];
  const state = { writing: true };
  const writers = senders.map(async (from) => {
    for (let at = 0; at < 30; at += 1) {
      const { body } = await from.post('/notifications', { target: to.id, message: 'm' });
      sent.push(body.notification_id);
    }
  });
  const done = Promise.all(writers).then(() => (state.writing = false));
  const told: Told[] = [];
  const first = await listen(to, '?topics=notifications');
  let listening = first;
  const early = sent.length;
  while (state.writing || told.length + listening.told.length < 100) {
    await sleep(60);
    if (listening.told.length === 0) {
      if (!state.writing) break;
      continue;
    }
    listening.close();
    told.push(...listening.told);
    listening = await listen(to, '?topics=notifications', { 'last-event-id': told.at(-1)?.id ?? '' });
  }
  await done;
  await sleep(1_000);
  listening.close();
  told.push(...listening.told);
  const ids = told.map(({ data }) => String(data['id']));
  t.is(new Set(ids).size, ids.length, 'none twice');
  const missing = sent.filter((id) => !ids.includes(id));
  t.true(
    missing.length <= early,
    `missing ${String(missing.length)} of ${String(sent.length)}; ${String(early)} came before the first listener`,
  );
  t.is(sent.length, 120);
});

test('X-7: whoever listens is told, however many come and go', async (t) => {
  const from = by('finance-agent');
  const agents = await Promise.all(Array.from({ length: 12 }, () => addAgent(stack, 'marketing')));
  for (let round = 0; round < 3; round += 1) {
    const polls = agents.map((agent) => agent.get('/inbox?wait=10s'));
    const listeners = await Promise.all(agents.map((agent) => listen(agent, '?topics=notifications')));
    await Promise.all(agents.map((agent) => agent.get('/inbox')));
    await sleep(200);
    const started = Date.now();
    for (const agent of agents)
      await from.post('/notifications', { target: agent.id, message: String(round), ack_required: true });
    await Promise.all(polls);
    t.true(Date.now() - started < 5_000, `${String(Date.now() - started)} ms`);
    await eventually(
      () => Promise.resolve(listeners.map(({ told }) => told.length)),
      (counts) => counts.every((count) => count === 1),
      3_000,
    );
    for (const listening of listeners) listening.close();
    for (const agent of agents)
      for (const note of (await agent.get('/inbox')).body.notifications)
        await agent.post(`/notifications/${note.id}/ack`);
    t.is(listeners.length, 12);
    if (round === 0)
      agents.splice(0, agents.length, ...(await Promise.all(agents.map(() => addAgent(stack, 'marketing')))));
    else break;
  }
});

test('TASK-3: a long poll of the inbox answers in less than a second after something came', async (t) => {
  const [from, to] = [by('finance-agent'), await addAgent(stack, 'analyst')];
  const empty = await to.get('/inbox?wait=1s');
  t.deepEqual(
    empty.body.tasks.filter((task) => task.assignee === to.id),
    [],
  );
  for (let at = 0; at < 3; at += 1) {
    const poll = to.get(`/inbox?wait=30s&after=${(await to.get('/inbox')).body.cursor}`);
    await sleep(300);
    const { body } = await from.post('/tasks/route', { target: to.id, type: 'x' });
    const started = Date.now();
    const answer = await poll;
    t.true(Date.now() - started < 1_000, `${String(Date.now() - started)} ms`);
    t.true(answer.body.tasks.some((task) => task.id === body.task_id));
  }
  const started = Date.now();
  const quiet = await to.get(`/inbox?wait=1s&after=${(await to.get('/inbox')).body.cursor}`);
  t.is(quiet.status, 200);
  t.true(Date.now() - started >= 900, 'nothing new: it waits');
});

interface Received {
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}
/** A receiver of webhooks that answers as told, in turn; the last answer repeats. */
async function receiver(
  statuses: readonly number[],
): Promise<{ url: string; received: Received[]; close: () => void }> {
  const received: Received[] = [];
  const server = http.createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      received.push({ headers: request.headers, body: Buffer.concat(parts).toString() });
      response.writeHead(statuses[received.length - 1] ?? statuses.at(-1) ?? 204).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${String(port)}`,
    received,
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

test('TASK-3: a webhook gets the events of its owner with a valid Standard Webhooks signature, again after a 500', async (t) => {
  const hook = await receiver([500, 204]);
  t.teardown(hook.close);
  const [from, to] = [by('finance-agent'), await addAgent(stack, 'developer')];
  const channel = await to.post('/channels', { url: `${hook.url}/path?token=secret`, topics: ['tasks'] });
  t.is(channel.status, 201, JSON.stringify(channel.body));
  t.regex(String(channel.body['secret']), /^whsec_/);
  t.false(String(channel.body['url']).includes('token'));
  const { body } = await from.post('/tasks/route', { target: to.id, type: 'x', payload: { mail: 'ann@example.com' } });
  await eventually(
    () => Promise.resolve(hook.received.length),
    (count) => count >= 2,
  );
  const [first, second] = hook.received;
  t.is(first?.headers['webhook-id'], second?.headers['webhook-id'], 'the same message, known by its id');
  for (const one of [first, second]) {
    const event = new Webhook(String(channel.body['secret'])).verify(
      one?.body ?? '',
      one?.headers as Record<string, string>,
    );
    t.like(event, { type: 'task.sent', data: { id: body.task_id } });
    t.false(one?.body.includes('ann@example.com'));
  }
  await to.post(`/tasks/${body.task_id}/claim`);
  await eventually(
    () => Promise.resolve(hook.received.length),
    (count) => count === 3,
  );
  t.is((await to.get<{ channels: Body[] }>('/channels')).body.channels.length, 1);
  t.is((await from.delete(`/channels/${channel.body.id}`)).status, 403);
  t.is((await to.delete(`/channels/${channel.body.id}`)).status, 200);
  await to.post(`/tasks/${body.task_id}/complete`, {});
  await sleep(1_500);
  t.is(hook.received.length, 3, 'a removed channel gets nothing more');
});

test('APPR-7, NOTE-1: a Slack-compatible channel gets a text; a notification reaches channels too', async (t) => {
  const hook = await receiver([200]);
  t.teardown(hook.close);
  const [from, person] = [by('finance-agent'), by('Jonas Adeyemi')];
  const { status, body } = await person.post('/channels', { kind: 'slack', url: `${hook.url}/services/T0/B0/x` });
  t.is(status, 201);
  t.false(String(body['url']).includes('services'), 'the path of a Slack webhook is its secret');
  await from.post('/notifications', { target: person.id, title: 'Hello', message: 'from finance' });
  await from.post('/approvals', { subject: 's', approvers: { users: [person.id] } });
  await eventually(
    () => Promise.resolve(hook.received.length),
    (count) => count >= 3,
  );
  const texts = hook.received.map(({ body: sent }) => (JSON.parse(sent) as { text: string }).text);
  t.true(
    texts.some((text) => text.includes('Hello') && text.includes('from finance')),
    JSON.stringify(texts),
  );
  t.true(
    texts.some((text) => text.includes('Approval requested')),
    JSON.stringify(texts),
  );
});

test('TASK-3: channels for others are for administrators; addresses are http(s)', async (t) => {
  const from = by('finance-agent');
  for (const owner of [`agent:${by('hr-agent').id}`, 'role:hr', 'role:finance'])
    t.is((await from.post('/channels', { url: 'https://example.com', owner })).status, 403, owner);
  t.is((await by('Helena Voss').post('/channels', { url: 'https://example.com', owner: 'role:hr' })).status, 201);
  for (const url of ['ftp://example.com', 'file:///etc/passwd', 'javascript:alert(1)', 'example.com', ''])
    t.is((await from.post('/channels', { url })).status, 400, url);
});

for (const url of [
  'http://127.0.0.1/',
  'http://127.1/',
  'http://2130706433/',
  'http://0x7f.0.0.1/',
  'http://localhost/',
  'http://0.0.0.0/',
  'http://10.1.2.3/',
  'http://172.16.0.1/',
  'http://192.168.1.1/',
  'http://169.254.169.254/latest/meta-data',
  'http://100.64.0.1/',
  'http://[::1]/',
  'http://[::ffff:127.0.0.1]/',
  'http://[::ffff:7f00:1]/',
  'http://[fd00::1]/',
  'http://[fe80::1]/',
  'http://[64:ff9b::7f00:1]/',
  'http://[2002:7f00:1::]/',
])
  test(`TASK-3: a webhook may not go to ${url} unless the operator allows private addresses`, async (t) => {
    t.truthy(await refusedAddress(url, false));
    t.is(await refusedAddress(url, true), undefined);
  });
test('TASK-3: a webhook may go to a public address', async (t) => {
  t.is(await refusedAddress('https://93.184.216.34/hook', false), undefined);
  t.is(await refusedAddress('https://[2606:2800:220:1::1]/hook', false), undefined);
});
