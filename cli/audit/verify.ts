import { readExport } from '../../db/audit/export-file.ts';
import type { Finding, Verified } from '../../db/audit/findings.ts';
import { witnessFolderOf } from '../../db/audit/sealer.ts';
import { verifyRecord } from '../../db/audit/verifier.ts';
import { verifyStored } from '../../db/audit/verify.ts';
import { say } from '../say.ts';
import { organisationsOf, withDatabase } from './database.ts';
import { keysFor } from './keys.ts';
import type { AuditOptions } from './options.ts';

const MOST_LINES = 1_000;

/** Prints findings as they come; after many, only how many more there were. */
function printer(): { readonly onFinding: (finding: Finding) => void; readonly rest: () => number } {
  let count = 0;
  return {
    onFinding: ({ kind, detail }) => {
      count += 1;
      if (count <= MOST_LINES) say(`FOUND  ${kind}: ${detail}`);
    },
    rest: () => Math.max(0, count - MOST_LINES),
  };
}

function conclude({ organisation, entries, checkpoints, findings, from, index, unsigned }: Verified, more = ''): void {
  const range = entries === 0 ? 'no links' : `links ${String(from)} to ${String(index)}`;
  const open = unsigned > 0 ? `, ${String(unsigned)} after the last checkpoint` : '';
  const verdict = findings === 0 ? 'holds' : `${String(findings)} findings`;
  say(`${organisation}: ${range}, ${String(checkpoints)} checkpoints${open}${more}: ${verdict}`);
}

async function verifyFile(file: string, options: AuditOptions): Promise<number> {
  const { onFinding, rest } = printer();
  const verified = await verifyRecord(readExport(file), { keys: keysFor(options), onFinding });
  if (rest() > 0) say(`… and ${String(rest())} more`);
  conclude(verified);
  return verified.findings === 0 ? 0 : 1;
}

/** Verifies the record of one organisation or of all, or an exported file. Answers 1 where something was found. */
export async function runVerify(options: AuditOptions): Promise<number> {
  const { config, file, from, to } = options;
  if (file !== undefined) return verifyFile(file, options);
  const keys = keysFor(options);
  return withDatabase(config, 'app', async (database) => {
    let code = 0;
    for (const organisation of await organisationsOf(database, options.organisation)) {
      const { onFinding, rest } = printer();
      const witnessFolder = witnessFolderOf(config.dataDir);
      const verified = await verifyStored(database, organisation, {
        keys,
        onFinding,
        witnessFolder,
        range: { from, to },
      });
      if (rest() > 0) say(`… and ${String(rest())} more`);
      conclude(verified, verified.pending > 0 ? `, ${String(verified.pending)} events wait to be sealed` : '');
      if (verified.findings > 0) code = 1;
    }
    return code;
  });
}
