import { hkdfSync, randomBytes } from 'node:crypto';
import { statSync } from 'node:fs';

import { readOrCreatePrivate } from '../platform/files.ts';
import { seal, unseal } from './sealing.ts';

/** The secret that all keys of pseudonyms come from. */
export interface MasterKey {
  /** Counts up with each rotation; stored beside whatever was sealed. */
  readonly version: number;
  /** 32 bytes. */
  readonly key: Buffer;
}

/** The keys of one organisation: one names values, the other seals them. */
export interface TenantKeys {
  readonly naming: Buffer;
  readonly sealing: Buffer;
}

const FORMAT = /^switchboard-master-key:(?<version>[1-9]\d{0,8}):(?<key>[\w-]{43})\n?$/;

/** Reads the master key; the first start makes the file, which only its owner may read. */
export function loadMasterKey(file: string): MasterKey {
  const text = readOrCreatePrivate(file, () => `switchboard-master-key:1:${randomBytes(32).toString('base64url')}\n`);
  if (process.platform !== 'win32' && (statSync(file).mode & 0o077) !== 0) {
    throw new Error(`The master key ${file} is open to other users. Run: chmod 600 ${file}`);
  }
  const { version, key } = FORMAT.exec(text)?.groups ?? {};
  if (!version || !key) {
    throw new Error(
      `The master key ${file} is not "switchboard-master-key:<version>:<32 bytes as base64url>". Restore it.`,
    );
  }
  return { version: Number(version), key: Buffer.from(key, 'base64url') };
}

const derive = (master: MasterKey, organisationId: string, purpose: string): Buffer =>
  Buffer.from(hkdfSync('sha256', master.key, organisationId, `switchboard:pseudonym:${purpose}:v1`, 32));

/** Derives an organisation's keys (HKDF), so that no tenant's key tells anything about another's. */
export const tenantKeys = (master: MasterKey, organisationId: string): TenantKeys => ({
  naming: derive(master, organisationId, 'naming'),
  sealing: derive(master, organisationId, 'sealing'),
});

/** What an organisation's own key is derived for; each purpose has a key of its own. */
export type KeyPurpose = 'history';

/** Derives the key of a purpose from an organisation's key (HKDF). */
export const purposeKey = (organisationKey: Buffer, organisationId: string, purpose: KeyPurpose): Buffer =>
  Buffer.from(hkdfSync('sha256', organisationKey, organisationId, `switchboard:organisation-key:${purpose}:v1`, 32));

const wrappingKey = (master: MasterKey, organisationId: string): Buffer =>
  Buffer.from(hkdfSync('sha256', master.key, organisationId, 'switchboard:organisation-key:wrapping:v1', 32));
const wrappingContext = (organisationId: string, version: number): string =>
  `organisation-key|${organisationId}|${String(version)}`;

/** Seals an organisation's key under the master key, bound to organisation and version. */
export const wrapKey = (master: MasterKey, organisationId: string, version: number, key: Buffer): Buffer =>
  seal(wrappingKey(master, organisationId), wrappingContext(organisationId, version), key.toString('base64'));

/** Opens what `wrapKey` sealed; throws where organisation, version, bytes or master key are not the same. */
export const unwrapKey = (master: MasterKey, organisationId: string, version: number, wrapped: Buffer): Buffer =>
  Buffer.from(unseal(wrappingKey(master, organisationId), wrappingContext(organisationId, version), wrapped), 'base64');
