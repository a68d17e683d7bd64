/** What `verify` finds. Codes are stable: scripts read them. */
export type FindingKind =
  | 'event_changed'
  | 'event_replaced'
  | 'event_missing'
  | 'event_added'
  | 'event_reordered'
  | 'entry_changed'
  | 'entry_missing'
  | 'entry_reordered'
  | 'checkpoint_invalid'
  | 'checkpoint_missing'
  | 'chain_rewritten'
  | 'end_missing'
  | 'retention_invalid'
  | 'not_signed'
  | 'file_incomplete';

/** One thing that is not as it was sealed, and where. */
export interface Finding {
  readonly kind: FindingKind;
  /** Links concerned, the first and the last of them. */
  readonly index?: number;
  readonly through?: number;
  readonly position?: string;
  readonly event_id?: string;
  readonly detail: string;
}

/** What was looked at. */
export interface Verified {
  readonly organisation: string;
  readonly entries: number;
  readonly checkpoints: number;
  readonly findings: number;
  /** The last link. */
  readonly index: number;
  readonly hash: string;
  /** Links after the last checkpoint: sealed, not signed yet. */
  readonly unsigned: number;
  /** The first link that was there to be looked at, where it is not the first of all. */
  readonly from: number;
}
