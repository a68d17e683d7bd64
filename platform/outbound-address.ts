import { lookup } from 'node:dns/promises';
import { BlockList, isIP } from 'node:net';

/** Ranges that are not the public internet (RFC 6890): a webhook there would reach into the operator's own network. */
const PRIVATE = new BlockList();
for (const [network, prefix] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
] as const)
  PRIVATE.addSubnet(network, prefix, 'ipv4');
for (const [network, prefix] of [
  ['::', 128],
  ['::1', 128],
  ['64:ff9b::', 96],
  // 6to4: holds any IPv4 address, private ones too.
  ['2002::', 16],
  ['fc00::', 7],
  ['fe80::', 10],
  ['ff00::', 8],
] as const)
  PRIVATE.addSubnet(network, prefix, 'ipv6');

const isPrivate = (address: string): boolean => PRIVATE.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4');

/** Why a name with these addresses may not be reached; undefined where it may. */
export const refusedAmong = (host: string, addresses: readonly { readonly address: string }[]): string | undefined =>
  addresses.some(({ address }) => isPrivate(address))
    ? `${host} is an address of a private network; set SWITCHBOARD_WEBHOOK_ALLOW_PRIVATE=true to allow it.`
    : undefined;

const lookUp = (host: string): Promise<{ address: string }[]> => lookup(host, { all: true });

/** Why a request may not be sent to an address; undefined where it may. Private networks only where the operator says so. */
export async function refusedAddress(
  url: string,
  allowPrivate: boolean,
  resolve: (host: string) => Promise<readonly { readonly address: string }[]> = lookUp,
): Promise<string | undefined> {
  if (allowPrivate) return undefined;
  const host = new URL(url).hostname.replace(/^\[|\]$/g, '');
  return refusedAmong(host, isIP(host) > 0 ? [{ address: host }] : await resolve(host));
}
