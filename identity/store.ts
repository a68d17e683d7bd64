import { renameSync, writeFileSync } from 'node:fs';

import type { Adapter, AdapterPayload } from 'oidc-provider';

import { readIfPresent } from '../platform/files.ts';

interface Entry {
  readonly payload: AdapterPayload;
  /** Milliseconds since 1970. */
  readonly until: number | undefined;
}

const WRITE_AFTER_MS = 100;

/**
 * What the provider remembers: sessions, grants, refresh tokens. Kept in memory, and in a file that a restart reads, so
 * that it signs nobody out. For development: one process, some thousand entries.
 */
export class Store {
  private readonly entries: Map<string, Entry>;
  private readonly file: string | undefined;
  private timer: NodeJS.Timeout | undefined;

  constructor(file?: string) {
    this.file = file;
    const text = file === undefined ? undefined : readIfPresent(file);
    this.entries = new Map(text === undefined ? [] : (JSON.parse(text) as [string, Entry][]));
  }

  get(key: string): Entry | undefined {
    const entry = this.entries.get(key);
    if (entry?.until === undefined || entry.until > Date.now()) return entry;
    this.delete(key);
    return undefined;
  }

  set(key: string, entry: Entry): void {
    this.entries.set(key, entry);
    this.writeSoon();
  }

  delete(key: string): void {
    if (this.entries.delete(key)) this.writeSoon();
  }

  /** Keys of a model whose payload satisfies. */
  keysOf(model: string | undefined, satisfies: (payload: AdapterPayload) => boolean): string[] {
    return [...this.entries]
      .filter(([key, { payload }]) => (model === undefined || key.startsWith(`${model}/`)) && satisfies(payload))
      .map(([key]) => key);
  }

  /** Writes what is not written yet. */
  flush(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    if (this.file === undefined) return;
    for (const key of [...this.entries.keys()]) this.get(key);
    writeFileSync(`${this.file}.new`, JSON.stringify([...this.entries]), { mode: 0o600 });
    renameSync(`${this.file}.new`, this.file);
  }

  private writeSoon(): void {
    if (this.file !== undefined) this.timer ??= setTimeout(() => this.flush(), WRITE_AFTER_MS).unref();
  }
}

/** The store as oidc-provider asks it, one adapter for each kind of thing. */
export const adapterFor =
  (store: Store) =>
  (model: string): Adapter => {
    const keyOf = (id: string): string => `${model}/${id}`;
    const found = (key: string | undefined): Promise<AdapterPayload | undefined> =>
      Promise.resolve(key === undefined ? undefined : store.get(key)?.payload);
    return {
      upsert(id, payload, expiresIn) {
        store.set(keyOf(id), {
          payload,
          until: expiresIn !== undefined && expiresIn > 0 ? Date.now() + expiresIn * 1000 : undefined,
        });
        return Promise.resolve();
      },
      find: (id) => found(keyOf(id)),
      findByUserCode: (userCode) => found(store.keysOf(model, (payload) => payload.userCode === userCode)[0]),
      findByUid: (uid) => found(store.keysOf(model, (payload) => payload.uid === uid)[0]),
      consume(id) {
        const entry = store.get(keyOf(id));
        const consumed = Math.floor(Date.now() / 1000);
        if (entry) store.set(keyOf(id), { ...entry, payload: { ...entry.payload, consumed } });
        return Promise.resolve();
      },
      destroy(id) {
        store.delete(keyOf(id));
        return Promise.resolve();
      },
      revokeByGrantId(grantId) {
        for (const key of store.keysOf(undefined, (payload) => payload.grantId === grantId)) store.delete(key);
        return Promise.resolve();
      },
    };
  };
