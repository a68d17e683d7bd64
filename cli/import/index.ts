import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';

import type { Actor } from '../../contracts/actor.ts';
import { appendAudit } from '../../db/audit.ts';
import { organisationIds } from '../../db/deliveries.ts';
import { beginImport, completeImport, failImport } from '../../db/people/imports.ts';
import type { Database } from '../../db/pool.ts';
import { DirectoryRefusal } from '../../directory/change.ts';
import type { Changed } from '../../directory/change.ts';
import { checkChart, importChart } from '../../directory/import.ts';
import type { ChartSource, Faults } from '../../directory/import.ts';
import { loadConfig } from '../../platform/config.ts';
import type { Config } from '../../platform/config.ts';
import { newId } from '../../platform/ids.ts';
import { connectTemporal } from '../../temporal/connection.ts';
import { sweepDirectoryNow } from '../../temporal/schedules.ts';
import { openOperatorDatabase } from '../operator-database.ts';
import { say } from '../say.ts';

const USAGE = `import FILE.csv [--dry-run] [--confirm-deactivations] [--organisation ID]
  Makes the organisation what the file says, all of it or nothing; --dry-run only says what would change.`;

/** Lines of a diff and of faults that are shown. */
const SHOWN = 50;
/** The import is done by then: nobody has to wait for a Temporal that is away, the sweep comes by itself. */
const TEMPORAL_WITHIN_MS = 2_000;
const OPERATOR: Actor = { kind: 'service', id: 'operator', role: null, acts_for: null, administrator: true };

interface Order {
  readonly config: Config;
  readonly database: Database;
  readonly organisationId: string;
  readonly file: string;
  readonly dryRun: boolean;
  readonly confirmed: boolean;
}

/** `switchboard import …`: an org chart from a file, by whoever operates the machine. Answers the exit code. */
export async function runImport(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      organisation: { type: 'string' },
      'dry-run': { type: 'boolean', default: false },
      'confirm-deactivations': { type: 'boolean', default: false },
    },
  });
  const [file, ...more] = positionals;
  if (file === undefined || more.length > 0) throw new Error(USAGE);
  const config = loadConfig();
  const database = openOperatorDatabase(config);
  try {
    const organisationId = await organisationOf(database, values.organisation);
    const [dryRun, confirmed] = [values['dry-run'], values['confirm-deactivations']];
    return await run({ config, database, organisationId, file, dryRun, confirmed });
  } finally {
    await database.close();
  }
}

/** The organisation that was said, or the only one there is. */
async function organisationOf(database: Database, said: string | undefined): Promise<string> {
  const known = await database.unscoped(organisationIds);
  const [only, ...others] = known;
  if (only === undefined) throw new Error('There is no organisation yet: run npm start first.');
  if (said !== undefined) {
    if (!known.includes(said)) throw new Error(`There is no organisation ${said}; there is: ${known.join(', ')}.`);
    return said;
  }
  if (others.length > 0)
    throw new Error(`There are several organisations: say which with --organisation ID.\n${USAGE}`);
  return only;
}

async function digestOf(source: ChartSource): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of source.read()) hash.update(chunk);
  return hash.digest('hex');
}

async function run(order: Order): Promise<number> {
  const { database, organisationId, file, dryRun } = order;
  const source: ChartSource = { read: () => createReadStream(file) as AsyncIterable<Buffer> };
  const id = newId('import');
  const digest = await digestOf(source);
  const row = { id, filename: path.basename(file).slice(0, 200), digest, uploaded_by: OPERATOR.id, trace_id: id };
  if (!dryRun) await database.inOrganisation(organisationId, (sql) => beginImport(sql, row));
  const fail = async (reason: string, faults?: Faults): Promise<void> => {
    if (!dryRun)
      await database.inOrganisation(organisationId, (sql) =>
        failImport(sql, id, reason, faults?.faults, faults?.count),
      );
  };
  const chart = await checkChart(source);
  if ('faults' in chart) {
    await fail('invalid_org_chart', chart);
    sayFaults(file, chart);
    return 1;
  }
  try {
    const changed = await change(order, source, chart, id, digest);
    report(changed, dryRun);
    if (!dryRun && changed.moves > 0) await moveWork(order.config, changed.moves);
    return 0;
  } catch (error) {
    await fail(error instanceof DirectoryRefusal ? error.reason : 'internal');
    if (!(error instanceof DirectoryRefusal)) throw error;
    say(`Nothing was changed: ${error.message}`);
    return 1;
  }
}

type Chart = Parameters<typeof importChart>[2];

const change = (
  { database, organisationId, dryRun, confirmed }: Order,
  source: ChartSource,
  chart: Chart,
  id: string,
  digest: string,
): Promise<Changed> =>
  importChart(database, source, chart, {
    organisationId,
    by: { actor: OPERATOR, trace_id: id, source: 'csv', import_id: id },
    dryRun,
    confirmed,
    lines: SHOWN,
    finish: async (sql, { counts }) => {
      await completeImport(sql, id, counts);
      await appendAudit(sql, [importedLine(id, digest, counts)]);
    },
  });

const importedLine = (id: string, digest: string, counts: Changed['counts']) => ({
  at: new Date().toISOString(),
  actor_kind: OPERATOR.kind,
  actor_id: OPERATOR.id,
  actor_role: null,
  on_behalf_of: null,
  action: 'directory.imported',
  subject_kind: 'import',
  subject_id: id,
  task_id: null,
  session_id: null,
  outcome: 'ok',
  policies: [],
  privacy: {},
  details: { digest, ...counts },
  source: 'switchboard',
  category: 'import',
  trace_id: id,
  dedupe_key: null,
});

/** Has the open work of those who left or changed roles move now. */
async function moveWork(config: Config, people: number): Promise<void> {
  const { temporalAddress, temporalPort, temporalNamespace: namespace, temporalTaskQueue } = config;
  const address = temporalAddress ?? `127.0.0.1:${String(temporalPort)}`;
  try {
    const { connection, client } = await connectTemporal({ address, namespace, waitMs: TEMPORAL_WITHIN_MS });
    try {
      await sweepDirectoryNow(client, temporalTaskQueue);
    } finally {
      await connection.close();
    }
    say(`Open work of ${String(people)} people is moving now.`);
  } catch (error) {
    const because = error instanceof Error ? error.message : String(error);
    say(`Open work of ${String(people)} people moves with the next sweep: ${because}`);
  }
}

function sayFaults(file: string, { faults, count }: Faults): void {
  say(`${file} has ${String(count)} faults; nothing was changed.`);
  for (const { row, column, message } of faults.slice(0, SHOWN))
    say(`  row ${String(row)}${column === null ? '' : `, ${column}`}: ${message}`);
  if (count > SHOWN) say(`  … and ${String(count - SHOWN)} more`);
}

function report({ counts, diff, refusal }: Changed, dryRun: boolean): void {
  const { added, changed, deactivated, reactivated, unchanged } = counts;
  for (const { kind, external_id, after } of dryRun ? diff : [])
    say(`  ${kind.padEnd(12)} ${external_id}  ${kind === 'deactivated' ? '' : Object.keys(after).join(', ')}`);
  const all = added + changed + deactivated + reactivated;
  if (dryRun && all > diff.length) say(`  … and ${String(all - diff.length)} more`);
  say(
    `${dryRun ? 'Would be' : 'Done:'} ${String(added)} added, ${String(changed)} changed, ${String(deactivated)} deactivated, ` +
      `${String(reactivated)} reactivated, ${String(unchanged)} unchanged.`,
  );
  if (refusal) say(`It would be refused: ${refusal.message}`);
}
