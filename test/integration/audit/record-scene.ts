import pg from 'pg';

import { auditKeysFile, publicKeys, signingKey, verificationKeys } from '../../../db/audit/keys.ts';
import type { Finding } from '../../../db/audit/findings.ts';
import { sealBatch } from '../../../db/audit/seal.ts';
import type { SigningKey } from '../../../db/audit/keys.ts';
import { verifyStored } from '../../../db/audit/verify.ts';
import type { StoredRecord } from '../../../db/audit/verify.ts';
import { appendAudit } from '../../../db/audit.ts';
import type { NewAuditEvent } from '../../../db/audit.ts';
import type { Database } from '../../../db/pool.ts';
import { newId } from '../../../platform/ids.ts';
import { testServers } from '../../support/environment.ts';

/** An event as the API appends one. */
export const newEvent = (more: Partial<NewAuditEvent> = {}): NewAuditEvent => ({
  at: new Date().toISOString(),
  actor_kind: 'user',
  actor_id: 'user_1',
  actor_role: 'finance',
  on_behalf_of: null,
  action: 'test.done',
  subject_kind: 'external',
  subject_id: 'thing',
  task_id: null,
  session_id: null,
  outcome: 'ok',
  policies: ['a policy'],
  privacy: { email: 1 },
  details: { amount: 1, nested: { list: [1, 2.5, 'ü'] } },
  source: 'test',
  category: 'test',
  trace_id: 'trace',
  dedupe_key: null,
  ...more,
});

/** A new organisation of its own, so that one test's record is not another's. */
export async function newOrganisation(database: Database): Promise<string> {
  const id = newId('organisation');
  await database.transaction(id, (sql) =>
    sql.query("INSERT INTO organisations (organisation_id, name) VALUES (current_setting('app.organisation'), 'One')"),
  );
  return id;
}

export const append = (
  database: Database,
  organisation: string,
  count: number,
  more: Partial<NewAuditEvent> = {},
): Promise<string[]> =>
  database.transaction(organisation, (sql) =>
    appendAudit(
      sql,
      Array.from({ length: count }, () => newEvent(more)),
    ),
  );

export const signerOf = (folder: string) => (): SigningKey => signingKey(auditKeysFile(folder));

/** Seals all that waits, with a checkpoint at the end. */
export async function sealAll(database: Database, organisation: string, folder: string, batch = 1_000): Promise<void> {
  for (;;) {
    const { more, busy } = await sealBatch(
      database,
      organisation,
      { signer: signerOf(folder), batch },
      { checkpoint: true },
    );
    if (!more && !busy) return;
  }
}

export async function verdict(
  database: Database,
  organisation: string,
  folder: string,
  more: { readonly witnessFolder?: string; readonly range?: { readonly from?: string; readonly to?: string } } = {},
): Promise<{ readonly findings: Finding[]; readonly verified: StoredRecord }> {
  const findings: Finding[] = [];
  const keys = verificationKeys(publicKeys(auditKeysFile(folder)));
  const verified = await verifyStored(database, organisation, {
    keys,
    onFinding: (one) => findings.push(one),
    ...more,
  });
  return { findings, verified };
}

/** Runs statements in one connection of the server, as the superuser or as the owner of the tables. */
export async function inDatabase<T>(
  databaseUrl: string,
  who: 'superuser' | 'owner',
  work: (client: pg.Client) => Promise<T>,
): Promise<T> {
  const { superuserUrl, ownerUrl } = testServers().postgres;
  const url = new URL(who === 'superuser' ? superuserUrl : ownerUrl);
  url.pathname = new URL(databaseUrl).pathname;
  const client = new pg.Client({ connectionString: url.href });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}
