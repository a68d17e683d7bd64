import type { DataConverter, Payload } from '@temporalio/common';

import type { WirePayload } from '../contracts/codec.ts';

/** A codec that somebody else runs, and how to sign in there. */
export interface RemoteCodec {
  /** The address that `/decode` is added to. */
  readonly endpoint: string;
  /** The Authorization header, valid now. */
  readonly authorization: () => Promise<string>;
}

/** Reads encrypted payloads through the API, as an operator's tools do: without any key at hand. */
export const createRemoteConverter = (codec: RemoteCodec): DataConverter => ({
  payloadCodecs: [
    {
      encode: (payloads) => Promise.resolve(payloads),
      decode: async (payloads) => (payloads.length === 0 ? payloads : decode(codec, payloads)),
    },
  ],
});

/** A payload as the remote codec protocol writes it. */
export const toWire = ({ metadata, data }: Payload): WirePayload => ({
  metadata: Object.fromEntries(
    Object.entries(metadata ?? {}).map(([name, value]) => [name, Buffer.from(value).toString('base64')]),
  ),
  data: Buffer.from(data ?? []).toString('base64'),
});

/** A payload from what the protocol wrote. */
export const fromWire = ({ metadata, data }: WirePayload): Payload => ({
  metadata: Object.fromEntries(
    Object.entries(metadata ?? {}).map(([name, value]) => [name, new Uint8Array(Buffer.from(value, 'base64'))]),
  ),
  data: new Uint8Array(Buffer.from(data ?? '', 'base64')),
});

async function decode({ endpoint, authorization }: RemoteCodec, payloads: readonly Payload[]): Promise<Payload[]> {
  const response = await fetch(`${endpoint}/decode`, {
    method: 'POST',
    headers: { authorization: await authorization(), 'content-type': 'application/json' },
    body: JSON.stringify({ payloads: payloads.map(toWire) }),
  });
  if (!response.ok) throw new Error(`${endpoint}/decode answers ${String(response.status)}: ${await response.text()}`);
  const answer = (await response.json()) as { readonly payloads: readonly WirePayload[] };
  return answer.payloads.map(fromWire);
}
