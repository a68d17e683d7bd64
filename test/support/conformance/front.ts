import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';

/** A listening front. */
export interface Front {
  readonly url: string;
  close(): Promise<void>;
}

/** The suite cannot send a key: this passes every request on as it is, Host and Origin too, with the key added. */
export async function startFront(target: string, key: string): Promise<Front> {
  const { hostname, port, pathname } = new URL(target);
  const server = http.createServer((request, response) => {
    const headers = { ...request.headers, authorization: `Bearer ${key}` };
    const options = { hostname, port, path: request.url ?? pathname, method: request.method, headers };
    const upstream = http.request(options, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      response.flushHeaders();
      answer.pipe(response);
    });
    upstream.on('error', () => response.destroy());
    response.on('close', () => upstream.destroy());
    request.pipe(upstream);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${String((server.address() as AddressInfo).port)}${pathname}`,
    close: async () => {
      const closed = once(server, 'close');
      server.closeAllConnections();
      server.close();
      await closed;
    },
  };
}
