import type { KeyObject } from 'node:crypto';

import { z } from 'zod';

import type { Json } from '../../contracts/json.ts';
import { entryHash } from './chain.ts';
import { eventDigest } from './event.ts';
import type { SealedEvent } from './event.ts';
import { rootByPath } from './merkle.ts';
import { readStatement } from './statement.ts';

const Hash = z.string().regex(/^[0-9a-f]{64}$/);

/** One event with its link of the chain, and what leads from it to a signed checkpoint. */
const Proven = z.strictObject({
  event: z.record(z.string(), z.unknown()).describe('Every column of the event'),
  entry: z
    .strictObject({
      index: z.int().positive(),
      position: z.string(),
      event_id: z.string(),
      event_digest: Hash,
      sealed_at: z.string(),
      previous: Hash,
      hash: Hash,
    })
    .describe('The link of the chain that seals it'),
  proof: z
    .strictObject({ checkpoint: z.int().min(0), path: z.array(Hash).max(64) })
    .describe('Place of its checkpoint in checkpoints, and the Merkle path (RFC 9162) to the root it signs'),
});

/** What was decided and done about one thing, provable without us: see docs/record.md. */
export const Receipt = z.strictObject({
  type: z.literal('switchboard-audit-receipt'),
  version: z.literal(1),
  organisation: z.string(),
  subject: z.string().describe('The task, approval or event it was made for'),
  made_at: z.string(),
  complete: z.boolean().describe('Whether every event of the subject is in it'),
  events: z.array(Proven).min(1),
  checkpoints: z.array(z.string()).describe('Signed checkpoints, as compact JWS'),
});
export type Receipt = z.infer<typeof Receipt>;

/** Checks a receipt with nothing but public keys: every fault that was found; none where it holds. */
export async function verifyReceipt(receipt: Receipt, keys: ReadonlyMap<string, KeyObject>): Promise<string[]> {
  const faults: string[] = [];
  const signed = await Promise.all(receipt.checkpoints.map((jws) => readStatement('checkpoint', jws, keys)));
  for (const { event, entry, proof } of receipt.events) {
    const name = `Event ${entry.event_id}`;
    const { hash, previous, ...content } = entry;
    if (eventDigest(event as SealedEvent) !== entry.event_digest) faults.push(`${name} is not as it was sealed.`);
    if (
      event['id'] !== entry.event_id ||
      event['position'] !== entry.position ||
      event['organisation_id'] !== receipt.organisation
    )
      faults.push(`${name} is not the event that its link names.`);
    if (entryHash(receipt.organisation, previous, content) !== hash)
      faults.push(`${name} has a link whose hash does not hold.`);
    const read = signed[proof.checkpoint];
    if (!read || 'fault' in read) {
      faults.push(`${name} has a checkpoint that ${read?.fault ?? 'is missing'}.`);
      continue;
    }
    const { organisation, from, index, root } = read.statement;
    const proven = rootByPath(hash, entry.index - from, index - from + 1, proof.path);
    if (organisation !== receipt.organisation || proven !== root)
      faults.push(`${name} is not among what its checkpoint signed.`);
  }
  return faults;
}

/** Lines that a later one of their workflow took back (decision 8): they are proven, and did not take effect. */
export const supersededIds = (receipt: Receipt): ReadonlySet<Json> => {
  // Whose columns are these is proven by the digest, before anybody asks what took effect.
  const events = receipt.events.map(({ event }) => event as unknown as SealedEvent);
  const isLater = (a: SealedEvent, b: SealedEvent): boolean =>
    a.workflow_id !== null &&
    a.workflow_id === b.workflow_id &&
    BigInt(a.position) > BigInt(b.position) &&
    Number(a.sequence) <= Number(b.sequence);
  return new Set(events.filter((event) => events.some((other) => isLater(other, event))).map(({ id }) => id));
};
