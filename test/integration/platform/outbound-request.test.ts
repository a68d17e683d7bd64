import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';

import test from 'ava';
import type { ExecutionContext } from 'ava';

import { postOutside } from '../../../platform/outbound-request.ts';
import type { Resolve } from '../../../platform/outbound-request.ts';

/** A server inside, which answers with a status and notes what came. */
async function inside(t: ExecutionContext, status = 200, headers: Record<string, string> = {}) {
  const bodies: string[] = [];
  const server = http.createServer((req, res) => {
    let body = '';
    req.on('data', (data: Buffer) => (body += data.toString()));
    req.on('end', () => {
      bodies.push(body);
      res.writeHead(status, headers).end('answer');
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  return { port: String((server.address() as AddressInfo).port), bodies };
}

const asked = (url: string, allowPrivate: boolean, resolve?: Resolve): Promise<number> =>
  postOutside({ url, body: '{"ü":1}', headers: {}, allowPrivate, timeoutMs: 2_000, ...(resolve && { resolve }) });
/** A name server that answers so many times that the name is outside, and from then on that it is inside. */
const rebinding = (timesOutside: number): Resolve => {
  let times = 0;
  return () => {
    times += 1;
    return Promise.resolve([{ address: times <= timesOutside ? '93.184.216.34' : '127.0.0.1', family: 4 }]);
  };
};

test('TASK-3: a name that points outside when it is checked and inside when it is connected to is refused', async (t) => {
  const { port, bodies } = await inside(t);
  const url = `http://rebinding.example:${port}/`;
  await t.throwsAsync(asked(url, false, rebinding(0)), { message: /private network/ });
  await t.throwsAsync(asked(url, false, rebinding(1)), { message: /private network/ });
  t.deepEqual(bodies, []);
});

test('TASK-3: where the operator allows private addresses, names and numbers are reached', async (t) => {
  const { port, bodies } = await inside(t, 202);
  t.is(await asked(`http://named.example:${port}/`, true, rebinding(0)), 202);
  t.is(await asked(`http://127.0.0.1:${port}/`, true), 202);
  t.deepEqual(bodies, ['{"ü":1}', '{"ü":1}']);
});

test('TASK-3: a redirect is an answer, and is not followed', async (t) => {
  const target = await inside(t);
  const { port } = await inside(t, 307, { location: `http://127.0.0.1:${target.port}/` });
  t.is(await asked(`http://127.0.0.1:${port}/`, true), 307);
  t.deepEqual(target.bodies, []);
});

test('TASK-3: a receiver that does not answer is given up', async (t) => {
  const server = http.createServer(() => undefined).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  await t.throwsAsync(asked(`http://127.0.0.1:${String(port)}/`, true));
});
