import { randomBytes } from 'node:crypto';

import { SYSTEM_ORGANISATION } from '../contracts/codec.ts';
import { appendAudit } from '../db/audit.ts';
import { organisationIds } from '../db/deliveries.ts';
import {
  addOrganisationKey,
  eraseOrganisationKeys,
  listOrganisationKeys,
  lockOrganisationKeys,
  retireOrganisationKeys,
} from '../db/organisation-keys.ts';
import type { OrganisationKeyRow } from '../db/organisation-keys.ts';
import { eraseClaims } from '../db/payload-claims.ts';
import type { Database, Queryable } from '../db/pool.ts';
import { newId } from '../platform/ids.ts';
import { wrapKey } from './keys.ts';
import type { MasterKey } from './keys.ts';
import { KeyErasedError } from './key-ring.ts';

/** An organisation and what is known of its keys; never the keys. */
export interface KeyListing {
  readonly organisationId: string;
  readonly keys: readonly Omit<OrganisationKeyRow, 'wrapped'>[];
}

/** Every organisation with the versions of its key, the system's last. */
export async function listKeys(database: Database): Promise<KeyListing[]> {
  const ids = [...(await database.unscoped(organisationIds)), SYSTEM_ORGANISATION];
  return Promise.all(
    ids.map(async (organisationId) => ({
      organisationId,
      keys: await database.inOrganisation(organisationId, listOrganisationKeys),
    })),
  );
}

/** Makes a new key the current one; the ones before stay readable. Answers its version. */
export async function rotateKey(
  database: Database,
  masterKey: MasterKey,
  organisationId: string,
  operator: string,
): Promise<number> {
  await requireKnown(database, organisationId);
  return database.transaction(organisationId, async (sql) => {
    await lockOrganisationKeys(sql);
    const keys = await listOrganisationKeys(sql);
    if (keys.some(({ status }) => status === 'erased')) throw new KeyErasedError(organisationId);
    const version = (keys.at(-1)?.version ?? 0) + 1;
    await retireOrganisationKeys(sql);
    const wrapped = wrapKey(masterKey, organisationId, version, randomBytes(32));
    await addOrganisationKey(sql, { version, wrapped, master_version: masterKey.version });
    await record(sql, { organisationId, operator, action: 'keys.rotated', details: { version } });
    return version;
  });
}

/** Destroys all keys of an organisation for ever, and what was kept under them here. Answers how many versions. */
export async function eraseKeys(database: Database, organisationId: string, operator: string): Promise<number> {
  await requireKnown(database, organisationId);
  return database.transaction(organisationId, async (sql) => {
    await lockOrganisationKeys(sql);
    const versions = await eraseOrganisationKeys(sql);
    await eraseClaims(sql);
    await record(sql, { organisationId, operator, action: 'keys.erased', details: { versions } });
    return versions;
  });
}

async function requireKnown(database: Database, organisationId: string): Promise<void> {
  if (organisationId === SYSTEM_ORGANISATION) return;
  const ids = await database.unscoped(organisationIds);
  if (!ids.includes(organisationId)) throw new Error(`There is no organisation ${organisationId}: see "keys list".`);
}

interface KeyChange {
  readonly organisationId: string;
  /** Who did it: the account on the machine. */
  readonly operator: string;
  readonly action: string;
  readonly details: Record<string, number>;
}

const record = (sql: Queryable, { organisationId, operator, action, details }: KeyChange): Promise<string[]> =>
  appendAudit(sql, [
    {
      at: new Date().toISOString(),
      actor_kind: 'service',
      actor_id: 'switchboard',
      actor_role: null,
      on_behalf_of: null,
      action,
      subject_kind: 'organisation',
      subject_id: organisationId,
      task_id: null,
      session_id: null,
      outcome: 'ok',
      policies: [],
      privacy: {},
      details: { ...details, operator },
      source: 'switchboard',
      category: 'keys',
      trace_id: newId('content').replace('cont_', 'keys-'),
      dedupe_key: null,
    },
  ]);
