import { once } from 'node:events';
import net from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

import test from 'ava';
import type { ExecutionContext } from 'ava';

import { freePort } from '../../../platform/ports.ts';
import { startTcpRelay } from '../../../platform/tcp-relay.ts';
import type { TcpRelay } from '../../../platform/tcp-relay.ts';

/** Answers every line with its name and the line. */
async function echo(t: ExecutionContext, name: string): Promise<{ host: string; port: number }> {
  const sockets = new Set<net.Socket>();
  const server = net.createServer((socket) => {
    sockets.add(socket.on('error', () => undefined));
    socket.on('data', (data) => socket.write(`${name} ${data.toString()}`));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return { host: '127.0.0.1', port: (server.address() as net.AddressInfo).port };
}

async function relayTo(t: ExecutionContext, upstreams: { host: string; port: number }[]): Promise<TcpRelay> {
  const relay = await startTcpRelay(0, '127.0.0.1', upstreams);
  t.teardown(() => relay.close());
  return relay;
}

function connect(t: ExecutionContext, { port }: TcpRelay): net.Socket {
  const socket = net.connect(port, '127.0.0.1').on('error', () => undefined);
  t.teardown(() => socket.destroy());
  return socket;
}

async function ask(socket: net.Socket, line: string): Promise<string> {
  socket.write(line);
  const [data] = (await once(socket, 'data')) as [Buffer];
  return data.toString();
}

test('OPS-2: connections go to one server after the other, and to another where one is down', async (t) => {
  const down = { host: '127.0.0.1', port: await freePort() };
  const relay = await relayTo(t, [await echo(t, 'first'), down, await echo(t, 'second')]);
  const answers: string[] = [];
  for (let n = 0; n < 4; n += 1) answers.push(await ask(connect(t, relay), 'hello'));
  t.deepEqual(answers, ['first hello', 'second hello', 'first hello', 'second hello']);
});

test('OPS-2: with no server left a connection is closed, not left open', async (t) => {
  const relay = await relayTo(t, [{ host: '127.0.0.1', port: await freePort() }]);
  const socket = connect(t, relay);
  await once(socket, 'close');
  t.is(socket.bytesRead, 0);
});

test('OPS-5: a cut link is silent, and what hung on it is reset when it is mended', async (t) => {
  const relay = await relayTo(t, [await echo(t, 'server')]);
  const before = connect(t, relay);
  t.is(await ask(before, 'a'), 'server a');
  relay.cut();
  const during = connect(t, relay);
  const answers = Promise.race([ask(before, 'b'), ask(during, 'c')]);
  t.is(await Promise.race([answers, sleep(300, 'silence')]), 'silence');
  const ends = Promise.all([once(before, 'close'), once(during, 'close')]);
  relay.mend();
  await ends;
  t.is(await ask(connect(t, relay), 'd'), 'server d');
});

test('OPS-5: a slow link keeps everything in order', async (t) => {
  const relay = await relayTo(t, [await echo(t, '')]);
  const socket = connect(t, relay);
  relay.delay(100);
  const started = performance.now();
  socket.write('1');
  await sleep(20);
  socket.write('2');
  let all = '';
  while (all.length < 4) all += String(((await once(socket, 'data')) as [Buffer])[0]);
  t.is(all.replaceAll(' ', ''), '12');
  t.true(performance.now() - started >= 195, 'there and back');
});

test('OPS-5: what comes after a delay does not overtake what was held back', async (t) => {
  const relay = await relayTo(t, [await echo(t, '')]);
  const socket = connect(t, relay);
  await ask(socket, 'ready');
  let heard = '';
  socket.on('data', (data: Buffer) => (heard += data.toString().trim()));
  relay.delay(200);
  socket.write('one');
  await sleep(20);
  relay.delay(50);
  socket.write('two');
  await sleep(20);
  relay.delay(0);
  socket.write('three');
  for (let waited = 0; !heard.includes('three') && waited < 5_000; waited += 20) await sleep(20);
  t.is(heard.replaceAll(' ', ''), 'onetwothree');
});
