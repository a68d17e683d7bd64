import { createHash } from 'node:crypto';

// The tree of RFC 9162 (Certificate Transparency), section 2.1: leaves and nodes are told apart by their first byte.
const hashOf = (prefix: number, ...parts: readonly Buffer[]): Buffer => {
  const hash = createHash('sha256').update(Uint8Array.of(prefix));
  for (const part of parts) hash.update(part);
  return hash.digest();
};
const leafOf = (hex: string): Buffer => hashOf(0, Buffer.from(hex, 'hex'));
const nodeOf = (left: Buffer, right: Buffer): Buffer => hashOf(1, left, right);

/** Largest power of two below a number. */
const split = (size: number): number => 2 ** Math.ceil(Math.log2(size) - 1);

const rootOf = (leaves: readonly Buffer[]): Buffer => {
  const [only] = leaves;
  if (leaves.length === 1 && only) return only;
  const at = split(leaves.length);
  return nodeOf(rootOf(leaves.slice(0, at)), rootOf(leaves.slice(at)));
};

/** The root over hashes (hexadecimal), at least one. */
export const merkleRoot = (hashes: readonly string[]): string => rootOf(hashes.map(leafOf)).toString('hex');

/** What leads from one of the hashes to the root: the sibling at each height, lowest first. */
export function merklePath(hashes: readonly string[], at: number): string[] {
  const walk = (leaves: readonly Buffer[], place: number): Buffer[] => {
    if (leaves.length === 1) return [];
    const middle = split(leaves.length);
    return place < middle
      ? [...walk(leaves.slice(0, middle), place), rootOf(leaves.slice(middle))]
      : [...walk(leaves.slice(middle), place - middle), rootOf(leaves.slice(0, middle))];
  };
  return walk(hashes.map(leafOf), at).map((hash) => hash.toString('hex'));
}

/** The root that a hash and its path lead to; undefined where the path does not fit the place. */
export function rootByPath(hash: string, at: number, size: number, path: readonly string[]): string | undefined {
  if (!Number.isSafeInteger(at) || at < 0 || at >= size) return undefined;
  const siblings = path.map((hex) => Buffer.from(hex, 'hex'));
  const climb = (place: number, leaves: number): Buffer | undefined => {
    if (leaves === 1) return leafOf(hash);
    const sibling = siblings.pop();
    const middle = split(leaves);
    const below = place < middle ? climb(place, middle) : climb(place - middle, leaves - middle);
    if (!below || !sibling) return undefined;
    return place < middle ? nodeOf(below, sibling) : nodeOf(sibling, below);
  };
  const root = climb(at, size);
  return siblings.length === 0 ? root?.toString('hex') : undefined;
}

/** The same root over hashes that come one by one, in memory that grows with the logarithm of their number. */
export class MerkleStream {
  size = 0;
  private readonly complete: { readonly hash: Buffer; readonly leaves: number }[] = [];

  add(hash: string): void {
    this.size += 1;
    let node = { hash: leafOf(hash), leaves: 1 };
    for (let left = this.complete.at(-1); left?.leaves === node.leaves; left = this.complete.at(-1)) {
      this.complete.pop();
      node = { hash: nodeOf(left.hash, node.hash), leaves: left.leaves * 2 };
    }
    this.complete.push(node);
  }

  root(): string | undefined {
    const last = this.complete.at(-1);
    if (!last) return undefined;
    return this.complete
      .slice(0, -1)
      .reduceRight((right, { hash }) => nodeOf(hash, right), last.hash)
      .toString('hex');
  }
}
