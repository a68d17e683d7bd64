import { getAuditReceipt } from '../../../contracts/audit.ts';
import { readExportLine } from '../../../db/audit/export-file.ts';
import type { Finding } from '../../../db/audit/findings.ts';
import { Jwks, verificationKeys } from '../../../db/audit/keys.ts';
import { Receipt, verifyReceipt } from '../../../db/audit/receipt.ts';
import { verifyRecord } from '../../../db/audit/verifier.ts';
import type { RecordItem } from '../../../db/audit/stream.ts';
import type { Stage } from '../stage.ts';

const STORY = ['approval.requested', 'approval.decided', 'approval.redeemed', 'task.completed'];

/** An answer of the API, asked again where it is just not there. */
async function read(stage: Stage, path: string): Promise<string> {
  const look = async (): Promise<string | undefined> => {
    const headers = { authorization: `Bearer ${await stage.observerToken()}` };
    const answer = await fetch(stage.apiUrl + path, { headers }).catch(() => undefined);
    return answer?.ok === true ? answer.text().catch(() => undefined) : undefined;
  };
  return (await stage.until(look, (text) => text !== undefined)) ?? '';
}

/** An outsider with the public keys checks one decision, a forged copy of it, and the whole record. */
export async function provenDecision(stage: Stage, approval_id: string): Promise<void> {
  const receipt = Receipt.parse(await stage.observer.call(getAuditReceipt, { id: approval_id }));
  const keys = verificationKeys(Jwks.parse(JSON.parse(await read(stage, '/audit/keys'))));
  const actions = receipt.events.map(({ event }) => String(event['action']));
  stage.same(
    'AUD-3',
    'the receipt has each step as an event of its own',
    actions.filter((one) => STORY.includes(one)),
    STORY,
  );
  stage.same('AUD-3', 'the receipt holds offline', await verifyReceipt(receipt, keys), []);
  const forged = structuredClone(receipt);
  for (const { event } of forged.events) event['actor_id'] = 'user_somebody-else';
  stage.check('AUD-3', 'a forged one does not', (await verifyReceipt(forged, keys)).length > 0);
  const findings: Finding[] = [];
  const lines = (await read(stage, '/audit/export')).split('\n').map(readExportLine);
  const items = lines.filter((item): item is RecordItem => item !== undefined);
  await verifyRecord(items, { keys, onFinding: (finding) => findings.push(finding) });
  stage.same('AUD-1', 'the whole record verifies', findings, []);
}
