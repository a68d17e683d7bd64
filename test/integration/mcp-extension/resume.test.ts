import { once } from 'node:events';
import net from 'node:net';
import type { AddressInfo } from 'node:net';

import test from 'ava';
import type { ExecutionContext } from 'ava';

import { startMcpHttp } from '../../../mcp-extension/http.ts';
import { json, startServer } from '../../unit/mcp-extension/http-server.ts';
import { httpClient, until } from './clients.ts';
import { silent } from './ways.ts';

interface Wire {
  readonly url: string;
  /** Breaks every connection there is; new ones work. */
  cut(): number;
}

/** A wire between client and server that can be cut. */
async function wireTo(t: ExecutionContext, target: string): Promise<Wire> {
  const { hostname, port, pathname } = new URL(target);
  const sockets = new Set<net.Socket>();
  const server = net.createServer((near) => {
    const far = net.connect(Number(port), hostname);
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on('error', () => undefined).on('close', () => sockets.delete(socket));
    }
    near.pipe(far).pipe(near);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const cut = (): number => {
    const { size } = sockets;
    for (const socket of sockets) socket.resetAndDestroy();
    return size;
  };
  t.teardown(() => {
    cut();
    server.close();
  });
  return { url: `http://127.0.0.1:${String((server.address() as AddressInfo).port)}${pathname}`, cut };
}

const RECEIPT = {
  notification_id: 'note_01928f00-0000-7000-8000-000000000001',
  task_id: 'note_01928f00-0000-7000-8000-000000000001',
  status: 'sent',
  target: 'manager',
  masked: [],
  trace_id: 'x',
};

test('MCP-2: a call goes on when its connection is cut, and the client gets the answer when it is back', async (t) => {
  t.timeout(60_000);
  let finish = (): void => undefined;
  const api = await startServer(t, (response, { method }) => {
    if (method === 'GET') json(response, 404, {});
    else finish = () => json(response, 202, RECEIPT);
  });
  const mcp = await startMcpHttp({ port: 0, host: '127.0.0.1', apiUrl: api.url, log: silent });
  t.teardown(() => mcp.close());
  const wire = await wireTo(t, mcp.url);
  const client = await httpClient(t, wire.url, 'sbk_test');
  const posted = () => api.seen.filter(({ url }) => url === '/notifications').length;

  const calling = client.callTool({ name: 'notify', arguments: { target: 'manager', message: 'hello' } });
  await until(() => (posted() === 1 ? true : undefined));
  // The first event of the answer has to have arrived: it carries the id that the client comes back with.
  await new Promise((resolve) => setTimeout(resolve, 300));
  t.true(wire.cut() > 0);
  finish();
  const result = await calling;
  t.regex(JSON.stringify(result), /Notification sent/);
  t.is(posted(), 1, 'the call was made once');
  t.is(api.aborted(), 0, 'and was not given up');
});
