import { readFileSync, writeFileSync } from 'node:fs';

import { auditKeysFile, signingKey } from '../../db/audit/keys.ts';
import { Receipt, supersededIds, verifyReceipt } from '../../db/audit/receipt.ts';
import { makeReceipt } from '../../db/audit/receipt-make.ts';
import { sealBatch } from '../../db/audit/seal.ts';
import type { Database } from '../../db/pool.ts';
import { say } from '../say.ts';
import { organisationsOf, withDatabase } from './database.ts';
import { keysFor } from './keys.ts';
import type { AuditOptions } from './options.ts';

/** Seals and signs what waits, so that the receipt can be made at once. */
async function sealNow(database: Database, organisation: string, { config }: AuditOptions): Promise<void> {
  const signer = () => signingKey(auditKeysFile(config.dataDir));
  for (let tries = 0; tries < 1_000; tries += 1) {
    const { more } = await sealBatch(database, organisation, { signer }, { checkpoint: true });
    if (!more) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

async function receiptOf(database: Database, id: string, options: AuditOptions): Promise<Receipt> {
  for (const organisation of await organisationsOf(database, options.organisation)) {
    let receipt = await makeReceipt(database, organisation, id);
    if (receipt === 'unsigned') {
      await sealNow(database, organisation, options);
      receipt = await makeReceipt(database, organisation, id);
    }
    if (receipt === 'unsigned') throw new Error(`${id} is not sealed and signed: run npm run audit -- verify`);
    if (receipt !== 'unknown') return receipt;
  }
  throw new Error(`Nothing of ${id} is on record.`);
}

const readReceipt = (file: string): Receipt => {
  const parsed = Receipt.safeParse(JSON.parse(readFileSync(file, 'utf8')));
  if (!parsed.success)
    throw new Error(`${file} is no receipt: ${parsed.error.issues[0]?.path.join('.') ?? ''} is not as it should be.`);
  return parsed.data;
};

async function verifyFile(file: string, options: AuditOptions): Promise<number> {
  const receipt = readReceipt(file);
  const faults = await verifyReceipt(receipt, keysFor(options));
  const taken = supersededIds(receipt);
  for (const { event, entry } of receipt.events) {
    const { at, action, actor_kind, actor_id, outcome, id } = event as Record<string, string>;
    const note = taken.has(id ?? '') ? ' (superseded)' : '';
    say(
      `${String(entry.index).padStart(8)}  ${at ?? ''}  ${action ?? ''}  ${actor_kind ?? ''} ${actor_id ?? ''}  ${outcome ?? ''}${note}`,
    );
  }
  for (const fault of faults) say(`FOUND  ${fault}`);
  say(
    `${receipt.subject} of ${receipt.organisation}: ${faults.length === 0 ? 'the receipt holds' : `${String(faults.length)} findings`}`,
  );
  return faults.length === 0 ? 0 : 1;
}

/** Prints the receipt of a task, an approval, a session or an event, or verifies one. */
export async function runReceipt(options: AuditOptions): Promise<number> {
  if (options.verify !== undefined) return verifyFile(options.verify, options);
  const [id] = options.operands;
  if (id === undefined) throw new Error('Which one? npm run audit -- receipt <task, approval, session or event id>');
  return withDatabase(options.config, 'app', async (database) => {
    const text = JSON.stringify(await receiptOf(database, id, options), null, 2);
    if (options.out === undefined) say(text);
    else writeFileSync(options.out, `${text}\n`, { mode: 0o600 });
    return 0;
  });
}
