import { entryHash, GENESIS } from './chain.ts';
import type { Entry, Head } from './chain.ts';
import { eventDigest } from './event.ts';
import type { SealedEvent } from './event.ts';
import type { Finding } from './findings.ts';
import { MerkleStream } from './merkle.ts';

/** Misplaced events that are remembered, so that those which only changed places can be told from foreign ones. */
const MOST_MISPLACED = 10_000;

const whereOf = ({ index, position, event_id }: Entry) => ({ index, position, event_id });

/** Walks the links of a chain and the events they seal: the half of a verification that needs no signature. */
export class Links {
  /** The last link. */
  head: Head = GENESIS;
  /** The links since the last checkpoint. */
  batch = new MerkleStream();
  count = 0;
  /** What the hash of the last link should have been; another one than it has where it was tampered with. */
  private computed = GENESIS.hash;
  /** Whether the hash before the next link is known. */
  private linked = true;
  private readonly misplaced = new Map<string, { readonly expected: string; readonly finding: Finding }>();
  private readonly report: (finding: Finding) => void;

  constructor(report: (finding: Finding) => void) {
    this.report = report;
  }

  startAfter({ index, hash }: Head): void {
    this.head = { index, hash };
    this.computed = hash;
  }

  walk(organisation: string, entry: Entry, event: SealedEvent | null): void {
    this.count += 1;
    const expected = this.head.index + 1;
    if (entry.index < expected) {
      const detail = `Link ${String(entry.index)} comes after link ${String(this.head.index)}.`;
      this.report({ kind: 'entry_reordered', ...whereOf(entry), detail });
      return;
    }
    if (entry.index > expected) this.gap(expected, entry.index - 1);
    this.link(organisation, entry);
    this.event(entry, event);
    this.batch.add(entry.hash);
  }

  /** Tells of events that are not in their places: moved, where another place is missing them; foreign otherwise. */
  finish(): void {
    const places = new Set([...this.misplaced.values()].map(({ expected }) => expected));
    for (const [id, { finding }] of this.misplaced)
      this.report(places.has(id) ? { ...finding, kind: 'event_reordered' } : finding);
  }

  private gap(index: number, through: number): void {
    const detail = `Links ${String(index)} to ${String(through)} are missing.`;
    this.report({ kind: 'entry_missing', index, through, detail });
    this.linked = false;
  }

  private link(organisation: string, entry: Entry): void {
    const hashAfter = (previous: string): string => entryHash(organisation, previous, entry);
    let computed = hashAfter(this.head.hash);
    // Only the hash before was changed, and that was said: this link is as it was sealed.
    if (this.linked && computed !== entry.hash && hashAfter(this.computed) === entry.hash) computed = entry.hash;
    if (this.linked && computed !== entry.hash) {
      const detail = `The hash of link ${String(entry.index)} is not the one of its content and of the link before it.`;
      this.report({ kind: 'entry_changed', ...whereOf(entry), detail });
    }
    this.computed = this.linked ? computed : entry.hash;
    this.linked = true;
    this.head = { index: entry.index, hash: entry.hash };
  }

  private event(entry: Entry, event: SealedEvent | null): void {
    const [sealed, at] = [entry.event_id, `at position ${entry.position}`];
    if (event === null) {
      this.report({
        kind: 'event_missing',
        ...whereOf(entry),
        detail: `Event ${sealed} ${at} was sealed and is not there.`,
      });
      return;
    }
    const digest = eventDigest(event);
    if (event.id !== sealed || event.position !== entry.position) {
      this.misplace(entry, event);
      return;
    }
    if (digest === entry.event_digest) return;
    const detail = `Event ${sealed} ${at} was changed: its digest is ${digest}, sealed was ${entry.event_digest}.`;
    this.report({ kind: 'event_changed', ...whereOf(entry), detail });
  }

  private misplace(entry: Entry, { id }: SealedEvent): void {
    // A record that was tampered with may hold anything there, also what no text can be made of.
    const found = typeof id === 'string' ? id : JSON.stringify(id);
    const detail = `Position ${entry.position} holds event ${found}, where event ${entry.event_id} was sealed.`;
    const finding: Finding = { kind: 'event_replaced', ...whereOf(entry), detail };
    if (this.misplaced.size < MOST_MISPLACED && !this.misplaced.has(id))
      this.misplaced.set(id, { expected: entry.event_id, finding });
    else this.report(finding);
  }
}
