import { createHash } from 'node:crypto';
import type { KeyObject } from 'node:crypto';

import { CompactSign, compactVerify, decodeProtectedHeader } from 'jose';
import { z } from 'zod';

import type { SigningKey } from './keys.ts';

const Hash = z.string().regex(/^[0-9a-f]{64}$/);
const common = {
  v: z.literal(1),
  organisation: z.string(),
  /** RFC 3339. */
  at: z.string(),
  /** SHA-256 of the statement of this kind before it; null for the first. */
  previous: Hash.nullable(),
};

/** Where the chain of an organisation stood, and the Merkle root over the links since the checkpoint before. */
export const Checkpoint = z.strictObject({ ...common, from: z.int(), index: z.int(), hash: Hash, root: Hash });
export type Checkpoint = z.infer<typeof Checkpoint>;

/** What retention removed: everything through this link, which a checkpoint had signed. */
export const Retention = z.strictObject({
  ...common,
  from: z.int(),
  through: z.int(),
  hash: Hash,
  removed: z.int(),
  /** Everything removed was sealed before this time. */
  before: z.string(),
});
export type Retention = z.infer<typeof Retention>;

const TYPES = { checkpoint: 'switchboard-audit-checkpoint', retention: 'switchboard-audit-retention' } as const;
const SCHEMAS = { checkpoint: Checkpoint, retention: Retention } as const;
interface Statements {
  readonly checkpoint: Checkpoint;
  readonly retention: Retention;
}

/** Signs a statement: a compact JWS (RFC 7515) that names its key. */
export const sign = <K extends keyof Statements>(kind: K, statement: Statements[K], { kid, key }: SigningKey) =>
  new CompactSign(Buffer.from(JSON.stringify(statement)))
    .setProtectedHeader({ alg: 'EdDSA', kid, typ: TYPES[kind] })
    .sign(key);

/** A statement whose signature holds, or why it does not. */
export async function readStatement<K extends keyof Statements>(
  kind: K,
  jws: string,
  keys: ReadonlyMap<string, KeyObject>,
): Promise<{ readonly statement: Statements[K] } | { readonly fault: string }> {
  try {
    const { kid = '', typ } = decodeProtectedHeader(jws);
    const key = keys.get(kid);
    if (!key) return { fault: `is signed with the key "${kid.slice(0, 100)}", which is not among the keys` };
    if (typ !== TYPES[kind]) return { fault: `is no signed ${kind}` };
    const { payload } = await compactVerify(jws, key, { algorithms: ['EdDSA'] });
    const parsed = SCHEMAS[kind].safeParse(JSON.parse(Buffer.from(payload).toString()));
    return parsed.success
      ? { statement: parsed.data as Statements[K] }
      : { fault: 'says something else than expected' };
  } catch {
    return { fault: 'has a signature that does not hold' };
  }
}

/** What a statement says, without a look at its signature: for our own reading of what we wrote. */
export const claimsOf = <K extends keyof Statements>(kind: K, jws: string): Statements[K] =>
  SCHEMAS[kind].parse(JSON.parse(Buffer.from(jws.split('.')[1] ?? '', 'base64url').toString())) as Statements[K];

/** The same; undefined where the text is no statement at all. */
export function claimsIn<K extends keyof Statements>(kind: K, jws: string): Statements[K] | undefined {
  try {
    return claimsOf(kind, jws);
  } catch {
    return undefined;
  }
}

/** How the next statement refers to this one. */
export const statementDigest = (jws: string): string => createHash('sha256').update(jws).digest('hex');
