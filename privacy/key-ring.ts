import { setTimeout as sleep } from 'node:timers/promises';
import { randomBytes } from 'node:crypto';

import { follow } from '../db/listen.ts';
import type { Following } from '../db/listen.ts';
import { addOrganisationKey, listOrganisationKeys } from '../db/organisation-keys.ts';
import type { OrganisationKeyRow } from '../db/organisation-keys.ts';
import type { Database } from '../db/pool.ts';
import { purposeKey, unwrapKey, wrapKey } from './keys.ts';
import type { KeyPurpose, MasterKey } from './keys.ts';

/** A key for one purpose, and which version of the organisation's key it comes from. */
export interface VersionedKey {
  readonly version: number;
  /** 32 bytes. */
  readonly key: Buffer;
}

/** The keys of all organisations for one purpose. */
export interface PurposeKeys {
  /** The newest key, made where there is none yet; throws `KeyErasedError` where the organisation was erased. */
  current(organisationId: string): Promise<VersionedKey>;
  /** The key of a version; throws where there is none, or it was erased. */
  find(organisationId: string, version: number): Promise<Buffer>;
}

/** The keys of organisations, kept in memory for a moment. */
export interface KeyRing {
  forPurpose(purpose: KeyPurpose): PurposeKeys;
  close(): Promise<void>;
}

/** The organisation was erased: nothing of it can be read, and nothing new be encrypted for it. */
export class KeyErasedError extends Error {
  constructor(organisationId: string) {
    super(`The keys of ${organisationId} were erased: what was encrypted with them cannot be read any more.`);
    this.name = 'KeyErasedError';
  }
}

export interface KeyRingOptions {
  readonly masterKey: MasterKey;
  readonly database: Database;
  /** Where changes of keys are announced (LISTEN); without it they take effect when `freshMs` is over. */
  readonly url?: string;
  /** How long keys are used without looking again, default 4 s. */
  readonly freshMs?: number;
  /**
   * How long a key that is not known yet is waited for while the database is away, default 8 s. A worker waits for ever:
   * Temporal's SDK ends it where even a failure cannot be encrypted.
   */
  readonly patienceMs?: number;
}

interface Entry {
  readonly rows: readonly OrganisationKeyRow[];
  readonly keys: Map<string, Buffer>;
  readonly readAt: number;
}

const FRESH_MS = 4_000;
const PATIENCE_MS = 8_000;
const LOOK_AGAIN_MS = 250;
/** After a look that failed, known keys are used without waiting for another such look. */
const AWAY_MS = 3_000;
// While the database is away nothing can be recorded, so nothing comes of what is decrypted; workflows just wait.
const USED_WITHOUT_DATABASE_MS = 600_000;
const KNOWN_ORGANISATIONS = 10_000;
const CHANNEL = 'switchboard_keys';

/** Known well enough to go on with while the database is away. */
const isUsable = ({ rows, readAt }: Entry): boolean =>
  rows.length > 0 && Date.now() - readAt < USED_WITHOUT_DATABASE_MS;

/** Opens the key ring; changes that other processes make are heard at once, and seen after `freshMs` at the latest. */
export async function openKeyRing(options: KeyRingOptions): Promise<KeyRing> {
  const ring = new StoredKeyRing(options);
  if (options.url !== undefined) await ring.follow(options.url);
  return ring;
}

class StoredKeyRing implements KeyRing {
  private readonly masterKey: MasterKey;
  private readonly database: Database;
  private readonly freshMs: number;
  private readonly entries = new Map<string, Entry>();
  private readonly reading = new Map<string, Promise<Entry>>();
  private following: Following | undefined;
  private readonly patienceMs: number;
  private closed = false;
  private failedAt = 0;

  constructor({ masterKey, database, freshMs = FRESH_MS, patienceMs = PATIENCE_MS }: KeyRingOptions) {
    this.masterKey = masterKey;
    this.database = database;
    this.freshMs = freshMs;
    this.patienceMs = patienceMs;
  }

  forPurpose(purpose: KeyPurpose): PurposeKeys {
    return {
      current: async (organisationId) => {
        const entry = await this.withCurrent(organisationId);
        const row = entry.rows.find(({ status }) => status === 'current');
        if (!row) throw this.without(organisationId, entry);
        return { version: row.version, key: this.derive(organisationId, entry, row, purpose) };
      },
      find: async (organisationId, version) => {
        const entry = await this.entry(organisationId, (rows) => rows.some((row) => row.version === version));
        const row = entry.rows.find((one) => one.version === version);
        if (row) return this.derive(organisationId, entry, row, purpose);
        if (entry.rows.some(({ status }) => status === 'erased')) throw new KeyErasedError(organisationId);
        throw new Error(
          `There is no key ${organisationId}/${String(version)}: restore organisation_keys from the backup that belongs to these histories.`,
        );
      },
    };
  }

  async close(): Promise<void> {
    this.closed = true;
    await this.following?.close();
  }

  async follow(url: string): Promise<void> {
    this.following = await follow(url, CHANNEL, {
      onTold: (organisationId) => this.forget(organisationId),
      // What was announced while nobody listened.
      onOpen: () => {
        for (const organisationId of [...this.entries.keys()]) this.forget(organisationId);
      },
    });
  }

  private forget(organisationId: string): void {
    const entry = this.entries.get(organisationId);
    // Kept for when the database is away, but looked at again before it is used.
    if (entry)
      this.entries.set(organisationId, { ...entry, readAt: Math.min(entry.readAt, Date.now() - this.freshMs) });
    this.reading.delete(organisationId);
  }

  private async withCurrent(organisationId: string): Promise<Entry> {
    const entry = await this.entry(organisationId, (rows) => rows.length > 0);
    if (entry.rows.length > 0) return entry;
    await this.make(organisationId);
    // A look that somebody else began before the key was there must not be the one that answers.
    this.reading.delete(organisationId);
    return this.read(organisationId);
  }

  private without(organisationId: string, { rows }: Entry): Error {
    if (rows.some(({ status }) => status === 'erased')) return new KeyErasedError(organisationId);
    return new Error(`There is no current key of ${organisationId}.`);
  }

  /** What is known, where it is fresh and enough; else what the database says. */
  private entry(organisationId: string, isEnough: (rows: readonly OrganisationKeyRow[]) => boolean): Promise<Entry> {
    const known = this.entries.get(organisationId);
    if (known && Date.now() - known.readAt < this.freshMs && isEnough(known.rows)) return Promise.resolve(known);
    const reading = this.read(organisationId);
    if (known && isEnough(known.rows) && this.isAway() && isUsable(known)) {
      reading.catch(() => undefined);
      return Promise.resolve(known);
    }
    return reading;
  }

  /** One look at a time for each organisation. */
  private read(organisationId: string): Promise<Entry> {
    const under = this.reading.get(organisationId);
    if (under) return under;
    const reading = this.look(organisationId).finally(() => {
      if (this.reading.get(organisationId) === reading) this.reading.delete(organisationId);
    });
    this.reading.set(organisationId, reading);
    return reading;
  }

  private async look(organisationId: string): Promise<Entry> {
    const deadline = Date.now() + this.patienceMs;
    for (;;) {
      try {
        return await this.lookOnce(organisationId);
      } catch (error) {
        this.failedAt = Date.now();
        const known = this.entries.get(organisationId);
        if (known && isUsable(known)) return known;
        if (this.closed || Date.now() > deadline) throw error;
        await sleep(LOOK_AGAIN_MS);
      }
    }
  }

  private isAway(): boolean {
    return Date.now() - this.failedAt < AWAY_MS;
  }

  private async lookOnce(organisationId: string): Promise<Entry> {
    const known = this.entries.get(organisationId);
    const readAt = Date.now();
    const rows = await this.database.inOrganisation(organisationId, listOrganisationKeys);
    const keys = known && sameKeys(known.rows, rows) ? known.keys : new Map<string, Buffer>();
    const entry = { rows, readAt, keys };
    this.failedAt = 0;
    if (this.entries.size >= KNOWN_ORGANISATIONS) this.entries.clear();
    const latest = this.entries.get(organisationId);
    // A slow look never replaces what a later one saw.
    if (latest === undefined || latest.readAt <= readAt) this.entries.set(organisationId, entry);
    return entry;
  }

  /** Several processes may do this at once: the first one's key is everybody's. */
  private async make(organisationId: string): Promise<void> {
    const version = 1;
    const wrapped = wrapKey(this.masterKey, organisationId, version, randomBytes(32));
    await this.database.inOrganisation(organisationId, (sql) =>
      addOrganisationKey(sql, { version, wrapped, master_version: this.masterKey.version }),
    );
  }

  private derive(organisationId: string, entry: Entry, row: OrganisationKeyRow, purpose: KeyPurpose): Buffer {
    if (row.wrapped === null) throw new KeyErasedError(organisationId);
    const name = `${purpose}/${String(row.version)}`;
    const key =
      entry.keys.get(name) ?? purposeKey(this.unwrap(organisationId, row, row.wrapped), organisationId, purpose);
    entry.keys.set(name, key);
    return key;
  }

  private unwrap(organisationId: string, { version, master_version }: OrganisationKeyRow, wrapped: Buffer): Buffer {
    const name = `The key ${organisationId}/${String(version)}`;
    if (master_version !== this.masterKey.version)
      throw new Error(
        `${name} is sealed with master key ${String(master_version)}, but key ${String(this.masterKey.version)} is loaded.`,
      );
    try {
      return unwrapKey(this.masterKey, organisationId, version, wrapped);
    } catch {
      throw new Error(`${name} cannot be opened: its row was changed, or the master key is another one.`);
    }
  }
}

const sameKeys = (before: readonly OrganisationKeyRow[], after: readonly OrganisationKeyRow[]): boolean =>
  before.every((row) =>
    after.some(({ version, wrapped }) => version === row.version && wrapped?.equals(row.wrapped ?? Buffer.alloc(0))),
  );
