import { generateKeyPairSync } from 'node:crypto';
import type { KeyObject } from 'node:crypto';

import fc from 'fast-check';

import type { Json } from '../../../contracts/json.ts';
import { GENESIS, linkEvents } from '../../../db/audit/chain.ts';
import type { Head } from '../../../db/audit/chain.ts';
import { EVENT_COLUMNS } from '../../../db/audit/event.ts';
import type { SealedEvent } from '../../../db/audit/event.ts';
import type { Finding, Verified } from '../../../db/audit/findings.ts';
import type { SigningKey } from '../../../db/audit/keys.ts';
import { merkleRoot } from '../../../db/audit/merkle.ts';
import { sign, statementDigest } from '../../../db/audit/statement.ts';
import type { RecordItem } from '../../../db/audit/stream.ts';
import { verifyRecord } from '../../../db/audit/verifier.ts';

export const ORGANISATION = 'org_model';

function keyPair(kid: string): { readonly signing: SigningKey; readonly publicKey: KeyObject } {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  return { signing: { kid, key: privateKey }, publicKey };
}
/** The key that signs, and one that an attacker made. */
export const OWN = keyPair('own');
export const FOREIGN = keyPair('own');
export const KEYS: ReadonlyMap<string, KeyObject> = new Map([['own', OWN.publicKey]]);

export type EntryItem = Extract<RecordItem, { type: 'entry' }>;

/** An event whose columns are all there. */
export const event = (position: number, more: Partial<Record<string, Json>> = {}): SealedEvent =>
  ({
    ...Object.fromEntries(EVENT_COLUMNS.map((column) => [column, null])),
    position: String(position),
    organisation_id: ORGANISATION,
    id: `evt_${String(position)}`,
    at: '2026-01-01T00:00:00.000000Z',
    action: 'task.sent',
    policies: [],
    privacy: {},
    details: {},
    ...more,
  }) as unknown as SealedEvent;

/** A record of so many events as it is exported, with a checkpoint after each batch of these sizes. */
export async function recordWith(
  events: readonly SealedEvent[],
  batches: readonly number[],
  signing: SigningKey = OWN.signing,
): Promise<RecordItem[]> {
  const items: RecordItem[] = [{ type: 'begin', organisation: ORGANISATION, after: GENESIS, checkpoint: null }];
  let head: Head = GENESIS;
  let previous: string | null = null;
  let rest = events;
  for (const size of batches) {
    if (rest.length === 0) break;
    const batch = rest.slice(0, size);
    rest = rest.slice(size);
    const entries = linkEvents(ORGANISATION, head, batch, new Date('2026-01-02T03:04:05.678Z'));
    items.push(...entries.map((entry, at): RecordItem => ({ type: 'entry', ...entry, event: batch[at] ?? null })));
    const from = head.index + 1;
    head = entries.at(-1) ?? head;
    const root = merkleRoot(entries.map(({ hash }) => hash));
    const at = '2026-01-02T03:04:06.000Z';
    const jws = await sign(
      'checkpoint',
      { v: 1, organisation: ORGANISATION, at, previous, from, index: head.index, hash: head.hash, root },
      signing,
    );
    previous = statementDigest(jws);
    items.push({ type: 'checkpoint', index: head.index, jws });
  }
  const tail = linkEvents(ORGANISATION, head, rest, new Date('2026-01-02T03:04:07.000Z'));
  items.push(...tail.map((entry, at): RecordItem => ({ type: 'entry', ...entry, event: rest[at] ?? null })));
  items.push({ type: 'end', entries: events.length, index: events.length });
  return items;
}

/** Verifies, and collects what was found. */
export async function verdictOf(
  items: readonly RecordItem[],
): Promise<{ readonly verified: Verified; readonly findings: Finding[] }> {
  const findings: Finding[] = [];
  const verified = await verifyRecord(items, { keys: KEYS, onFinding: (finding) => findings.push(finding) });
  return { verified, findings };
}

const json = fc.jsonValue({ maxDepth: 2 }) as fc.Arbitrary<Json>;
const text = fc.string({ unit: 'grapheme', maxLength: 8 });

/** Events with all sorts of content, and sizes of the batches that checkpoints cover. */
export const records = fc.record({
  contents: fc.array(fc.record({ details: json, trace_id: text, outcome: text, sequence: fc.option(fc.nat()) }), {
    minLength: 1,
    maxLength: 30,
  }),
  batches: fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 8 }),
});

/** The events of such a record. */
export const eventsOf = (contents: readonly Partial<Record<string, Json>>[]): SealedEvent[] =>
  contents.map((content, at) => event(at + 1, content));
