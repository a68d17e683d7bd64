import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

import type { ApiDeps } from './deps.ts';
import { createApp } from './app.ts';

/** Slow senders are cut off: headers within 15 s, the whole request within 60 s. */
const HEADERS_MS = 15_000;
const REQUEST_MS = 60_000;

/** A running API. */
export interface Served {
  readonly url: string;
  readonly port: number;
  /** Takes no new request, finishes those it has, ends streams. */
  close(): Promise<void>;
}

/** Serves the API on a port; 0 takes a free one. */
export async function serveApi(
  deps: ApiDeps,
  { host, port }: { readonly host: string; readonly port: number },
): Promise<Served> {
  let draining = false;
  const server = createServer(
    { headersTimeout: HEADERS_MS, requestTimeout: REQUEST_MS },
    createApp(deps, () => draining),
  );
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(port, host, resolve);
  });
  const address = server.address() as AddressInfo;
  return {
    url: `http://${host}:${String(address.port)}`,
    port: address.port,
    async close() {
      draining = true;
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      deps.feed.endStreams();
      server.closeIdleConnections();
      await closed;
    },
  };
}
