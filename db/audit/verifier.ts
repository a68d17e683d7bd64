import type { KeyObject } from 'node:crypto';

import type { Finding, FindingKind, Verified } from './findings.ts';
import { Links } from './links.ts';
import { MerkleStream } from './merkle.ts';
import { CHECKPOINT_EVERY } from './seal.ts';
import { readStatement, statementDigest } from './statement.ts';
import type { Checkpoint } from './statement.ts';
import type { RecordItem } from './stream.ts';

type ItemOf<T extends RecordItem['type']> = Extract<RecordItem, { type: T }>;

export interface Verifying {
  readonly keys: ReadonlyMap<string, KeyObject>;
  readonly onFinding: (finding: Finding) => void;
}

/** Walks a record once, from its begin to its end, in constant memory, and names everything that is not as it was sealed. */
export class Verifier {
  private readonly options: Verifying;
  private readonly links: Links;
  private organisation = '';
  /** The checkpoint before, or what stands for it; without digest where it is the one at which retention cut. */
  private signed: { readonly index: number; readonly digest: string | null } = { index: 0, digest: null };
  private removed: { readonly through: number; readonly hash: string; readonly digest: string } | undefined;
  private anchored: 'genesis' | 'checkpoint' | 'retention' = 'genesis';
  private begun = false;
  private ended = false;
  private readonly counts = { checkpoints: 0, findings: 0, from: 1 };

  constructor(options: Verifying) {
    this.options = options;
    this.links = new Links((finding) => this.report(finding));
  }

  async accept(item: RecordItem): Promise<void> {
    switch (item.type) {
      case 'begin':
        return this.begin(item);
      case 'retention':
        return this.retention(item);
      case 'entry': {
        const { type: _, event, ...entry } = item;
        this.links.walk(this.organisation, entry, event);
        return;
      }
      case 'checkpoint':
        return this.checkpoint(item);
      case 'end':
        this.end(item);
    }
  }

  finish(): Verified {
    this.links.finish();
    const { index, hash } = this.links.head;
    if (!this.ended) this.found('file_incomplete', 'The record breaks off: its last line is missing.', { index });
    const unsigned = Math.max(0, index - this.signed.index);
    if (unsigned >= CHECKPOINT_EVERY) {
      const detail = `${String(unsigned)} links have no checkpoint: one is due every ${String(CHECKPOINT_EVERY)}.`;
      this.found('not_signed', detail, { index: this.signed.index + 1, through: index });
    }
    return { organisation: this.organisation, entries: this.links.count, ...this.counts, index, hash, unsigned };
  }

  private async begin({ organisation, after, checkpoint }: ItemOf<'begin'>): Promise<void> {
    if (this.begun) {
      this.found('entry_reordered', 'The record begins a second time.');
      return;
    }
    this.begun = true;
    this.organisation = organisation;
    if (checkpoint === null) return;
    const read = await readStatement('checkpoint', checkpoint, this.options.keys);
    const fault =
      'fault' in read
        ? read.fault
        : read.statement.organisation === organisation
          ? undefined
          : 'is of another organisation';
    if (fault !== undefined || 'fault' in read) {
      this.found('checkpoint_invalid', `The checkpoint that this part begins after ${fault ?? ''}.`, {
        index: after.index,
      });
      return;
    }
    this.anchored = 'checkpoint';
    this.startAfter(read.statement, statementDigest(checkpoint));
  }

  private startAfter(head: { readonly index: number; readonly hash: string }, digest: string | null): void {
    this.links.startAfter(head);
    this.signed = { index: head.index, digest };
    this.counts.from = head.index + 1;
  }

  private async retention({ jws }: ItemOf<'retention'>): Promise<void> {
    const read = await readStatement('retention', jws, this.options.keys);
    if ('fault' in read) {
      this.found('retention_invalid', `A statement on what was removed ${read.fault}.`);
      return;
    }
    const { organisation, previous, from, through, hash } = read.statement;
    const before = this.removed ?? { through: 0, digest: null };
    const follows = previous === before.digest && from === before.through + 1 && through >= from;
    // What was removed is told before anything that is left: elsewhere it could hide what was not.
    if (organisation !== this.organisation || !follows || this.links.count > 0 || this.counts.checkpoints > 0) {
      this.found('retention_invalid', 'A statement on what was removed does not belong here.', { index: through });
      return;
    }
    this.removed = { through, hash, digest: statementDigest(jws) };
    if (this.anchored === 'checkpoint') return;
    this.anchored = 'retention';
    this.startAfter({ index: through, hash }, null);
  }

  private async checkpoint({ index, jws }: ItemOf<'checkpoint'>): Promise<void> {
    this.counts.checkpoints += 1;
    const read = await readStatement('checkpoint', jws, this.options.keys);
    if ('fault' in read) {
      this.found('checkpoint_invalid', `The checkpoint at link ${String(index)} ${read.fault}.`, { index });
      return;
    }
    const { statement } = read;
    if (statement.organisation !== this.organisation || statement.index !== index) {
      this.found('checkpoint_invalid', `The checkpoint at link ${String(index)} is not of this place in this record.`, {
        index,
      });
      return;
    }
    if (this.anchored === 'retention' && this.signed.digest === null && index === this.signed.index)
      this.anchor(statement);
    else this.compare(statement);
    this.links.batch = new MerkleStream();
    this.signed = { index, digest: statementDigest(jws) };
  }

  /** The checkpoint at which retention cut: what it signed is gone but for its hash. */
  private anchor({ hash, index }: Checkpoint): void {
    if (hash !== this.removed?.hash)
      this.found('retention_invalid', 'What was removed does not end where a checkpoint says.', { index });
  }

  private compare({ from, index, hash, root, previous }: Checkpoint): void {
    const { head, batch } = this.links;
    if (from !== this.signed.index + 1 || previous !== this.signed.digest) {
      const detail = `The checkpoint at link ${String(index)} does not follow the one at link ${String(this.signed.index)}: one between them is missing or was replaced.`;
      this.found('checkpoint_missing', detail, { index: this.signed.index + 1, through: index });
    }
    if (head.index < index) {
      const detail = `Links ${String(head.index + 1)} to ${String(index)} were signed and are not there.`;
      this.found('end_missing', detail, { index: head.index + 1, through: index });
      return;
    }
    const complete = batch.size === index - from + 1;
    if (head.index === index && hash === head.hash && (!complete || root === batch.root())) return;
    const detail = `Links ${String(from)} to ${String(index)} are not those that their checkpoint signed.`;
    this.found('chain_rewritten', detail, { index: from, through: index });
  }

  private end({ entries, index }: ItemOf<'end'>): void {
    this.ended = true;
    if (entries === this.links.count && index === this.links.head.index) return;
    const detail = `The record should have ${String(entries)} links and end at link ${String(index)}.`;
    this.found('file_incomplete', detail, { index: this.links.head.index });
  }

  private found(kind: FindingKind, detail: string, where: Omit<Finding, 'kind' | 'detail'> = {}): void {
    this.report({ kind, ...where, detail });
  }

  private report(finding: Finding): void {
    this.counts.findings += 1;
    this.options.onFinding(finding);
  }
}

/** Verifies a record as it comes. */
export async function verifyRecord(
  items: AsyncIterable<RecordItem> | Iterable<RecordItem>,
  options: Verifying,
): Promise<Verified> {
  const verifier = new Verifier(options);
  for await (const item of items) await verifier.accept(item);
  return verifier.finish();
}
