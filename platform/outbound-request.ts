import type { LookupAddress } from 'node:dns';
import { lookup } from 'node:dns/promises';
import http from 'node:http';
import https from 'node:https';
import type { LookupFunction } from 'node:net';

import { refusedAddress, refusedAmong } from './outbound-address.ts';

/** Finds all addresses of a name. */
export type Resolve = (host: string) => Promise<LookupAddress[]>;

/** A request to an address that somebody outside chose. */
export interface OutboundRequest {
  readonly url: string;
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Whether it may go into private networks. */
  readonly allowPrivate: boolean;
  readonly timeoutMs: number;
  /** How names are looked up; the system's way unless told. */
  readonly resolve?: Resolve;
}

const resolveAll: Resolve = (host) => lookup(host, { all: true });

/**
 * Sends a POST and answers its status; redirects are not followed. The address that is checked is the one connected to:
 * a name that is looked up twice could point somewhere else the second time (DNS rebinding).
 */
export async function postOutside(request: OutboundRequest): Promise<number> {
  const { url, body, headers, allowPrivate, timeoutMs, resolve = resolveAll } = request;
  const refused = await refusedAddress(url, allowPrivate, resolve);
  if (refused !== undefined) throw new Error(refused);
  const { request: open } = new URL(url).protocol === 'https:' ? https : http;
  const options = { method: 'POST', headers: { ...headers, 'content-length': Buffer.byteLength(body) } };
  return new Promise((fulfil, reject) => {
    const signal = AbortSignal.timeout(timeoutMs);
    // A connection of its own: one that is kept could have been opened to an address that was allowed then.
    const sent = open(url, { ...options, signal, agent: false, lookup: checked(resolve, allowPrivate) }, (response) => {
      response.destroy();
      fulfil(response.statusCode ?? 0);
    });
    sent.once('error', reject);
    sent.end(body);
  });
}

/** Looks a name up for a connection, and fails where any of its addresses is one that may not be reached. */
const checked =
  (resolve: Resolve, allowPrivate: boolean): LookupFunction =>
  (host, { all }, done) => {
    resolve(host).then(
      (addresses) => {
        const refused = allowPrivate ? undefined : refusedAmong(host, addresses);
        const [first] = addresses;
        if (refused !== undefined || !first) done(new Error(refused ?? `${host} has no address.`), '');
        else if (all === true) done(null, addresses);
        else done(null, first.address, first.family);
      },
      (error: unknown) => done(error as NodeJS.ErrnoException, ''),
    );
  };
