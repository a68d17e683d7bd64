import type { PseudonymRow, PseudonymStore } from '../db/pseudonyms.ts';
import { tenantKeys } from './keys.ts';
import type { MasterKey, TenantKeys } from './keys.ts';
import { pseudonymOf } from './pseudonyms.ts';
import { createRecent } from './recent.ts';
import type { Span } from './recognisers/recogniser.ts';
import { seal, unseal } from './sealing.ts';

/** A personal value and its type. */
export type Finding = Pick<Span, 'type' | 'value'>;

/** Gives values their pseudonyms and finds them again. */
export interface Vault {
  /** Names values, storing those that are new; look a name up with `nameKey`. */
  name(organisationId: string, findings: readonly Finding[]): Promise<ReadonlyMap<string, string>>;
  /** The values of those pseudonyms that the organisation has. */
  resolve(organisationId: string, pseudonyms: readonly string[]): Promise<ReadonlyMap<string, string>>;
}

export interface VaultOptions {
  readonly masterKey: MasterKey;
  readonly store: PseudonymStore;
  /** Values kept in memory, default 10,000. */
  readonly cacheSize?: number;
}

const MOST_ATTEMPTS = 8;
const KNOWN_TENANTS = 1_000;

/** Key of a finding in what `name` returns. */
export const nameKey = ({ type, value }: Finding): string => `${type}|${value}`;

/** Opens the vault over a store. */
export const createVault = (options: VaultOptions): Vault => new StoredVault(options);

const contextOf = (organisationId: string, pseudonym: string): string => `${organisationId}|${pseudonym}`;

class StoredVault implements Vault {
  private readonly masterKey: MasterKey;
  private readonly store: PseudonymStore;
  private readonly values;
  private readonly tenants = createRecent<TenantKeys>(KNOWN_TENANTS);

  constructor({ masterKey, store, cacheSize = 10_000 }: VaultOptions) {
    this.masterKey = masterKey;
    this.store = store;
    this.values = createRecent<string>(cacheSize);
  }

  /** 45 bits collide once in a while: whoever comes second gets the pseudonym of a further attempt. */
  async name(organisationId: string, findings: readonly Finding[]): Promise<Map<string, string>> {
    const names = new Map<string, string>();
    const { naming } = this.keysOf(organisationId);
    let unnamed = new Map(findings.map((finding) => [nameKey(finding), finding]));
    for (let attempt = 0; unnamed.size > 0 && attempt < MOST_ATTEMPTS; attempt += 1) {
      const wished = [...unnamed.values()].map((finding) => ({
        finding,
        pseudonym: pseudonymOf(naming, finding.type, finding.value, attempt),
      }));
      const wanted = new Map(wished.map(({ finding, pseudonym }) => [pseudonym, finding]));
      const owners = await this.claim(organisationId, wanted);
      const won = wished.filter(({ finding, pseudonym }) => owners.get(pseudonym) === finding.value);
      for (const { finding, pseudonym } of won) names.set(nameKey(finding), pseudonym);
      unnamed = new Map([...unnamed].filter(([key]) => !names.has(key)));
    }
    if (unnamed.size > 0) throw new Error('A personal value got no pseudonym: the store answers wrongly.');
    return names;
  }

  async resolve(organisationId: string, pseudonyms: readonly string[]): Promise<Map<string, string>> {
    const resolved = new Map<string, string>();
    for (const pseudonym of pseudonyms) {
      const value = this.values.get(contextOf(organisationId, pseudonym));
      if (value !== undefined) resolved.set(pseudonym, value);
    }
    const unknown = pseudonyms.filter((pseudonym) => !resolved.has(pseudonym));
    const rows = unknown.length > 0 ? await this.store.get(organisationId, unknown) : [];
    for (const row of rows) {
      const value = this.open(organisationId, row);
      resolved.set(row.pseudonym, value);
      this.values.set(contextOf(organisationId, row.pseudonym), value);
    }
    return resolved;
  }

  /** Stores what is not stored, and returns whom each pseudonym belongs to from now on. */
  private async claim(organisationId: string, wanted: ReadonlyMap<string, Finding>): Promise<Map<string, string>> {
    const { sealing } = this.keysOf(organisationId);
    const isUnknown = (pseudonym: string): boolean =>
      this.values.get(contextOf(organisationId, pseudonym)) === undefined;
    const unknown = [...wanted].filter(([pseudonym]) => isUnknown(pseudonym));
    const rows = unknown.map(([pseudonym, { type, value }]): PseudonymRow => ({
      pseudonym,
      entity_type: type,
      sealed: seal(sealing, contextOf(organisationId, pseudonym), value),
      key_version: this.masterKey.version,
    }));
    const added = rows.length > 0 ? await this.store.put(organisationId, rows) : [];
    for (const pseudonym of added)
      this.values.set(contextOf(organisationId, pseudonym), wanted.get(pseudonym)?.value ?? '');
    return this.resolve(organisationId, [...wanted.keys()]);
  }

  private open(organisationId: string, { pseudonym, sealed, key_version }: PseudonymRow): string {
    const [have, need] = [String(this.masterKey.version), String(key_version)];
    if (have !== need)
      throw new Error(`${pseudonym} is sealed with master key ${need}, but only key ${have} is loaded.`);
    try {
      return unseal(this.keysOf(organisationId).sealing, contextOf(organisationId, pseudonym), sealed);
    } catch {
      throw new Error(`${pseudonym} cannot be opened: its row was changed, or the master key is another one.`);
    }
  }

  private keysOf(organisationId: string): TenantKeys {
    const keys = this.tenants.get(organisationId) ?? tenantKeys(this.masterKey, organisationId);
    this.tenants.set(organisationId, keys);
    return keys;
  }
}
