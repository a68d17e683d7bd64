import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';

import pg from 'pg';

import { auditKeysFile, signingKey } from '../db/audit/keys.ts';
import { sealBatch } from '../db/audit/seal.ts';
import { appendAudit } from '../db/audit.ts';
import type { NewAuditEvent } from '../db/audit.ts';
import { openDatabase } from '../db/pool.ts';
import type { Database } from '../db/pool.ts';
import type { BenchStack } from './stack.ts';

const BATCH = 1_000;
const root = path.resolve(import.meta.dirname, '..');
const perSecond = (count: number, startedAt: number): string =>
  Math.round(count / ((performance.now() - startedAt) / 1_000)).toLocaleString('en');
const seconds = (startedAt: number): string => `${((performance.now() - startedAt) / 1_000).toFixed(1)} s`;
const report = (what: string, figure: string): void => console.log(`| ${what} | ${figure} |`);

const newEvent = (at: number): NewAuditEvent => ({
  at: new Date().toISOString(),
  actor_kind: 'agent',
  actor_id: 'agent_01a1fe91-0e38-722e-80d5-ffd9c7db9c07',
  actor_role: 'finance',
  on_behalf_of: null,
  action: 'bench.done',
  subject_kind: 'external',
  subject_id: `thing-${String(at)}`,
  task_id: null,
  session_id: null,
  outcome: 'ok',
  policies: ['organisation-members-send-tasks'],
  privacy: { email: 1 },
  details: { amount: at, status: 'done', note: 'what a line of the record holds' },
  source: 'bench',
  category: 'bench',
  trace_id: `bench-${String(at)}`,
  dedupe_key: `bench:${String(at)}`,
});

/** Batches of events, so many at once, until all are in. */
async function inBatches(count: number, atOnce: number, send: (from: number) => Promise<void>): Promise<void> {
  let next = 0;
  const lane = async (): Promise<void> => {
    for (let from = (next += BATCH) - BATCH; from < count; from = (next += BATCH) - BATCH) await send(from);
  };
  await Promise.all(Array.from({ length: atOnce }, lane));
}

async function appendOverApi({ apiUrl, member }: BenchStack, count: number): Promise<void> {
  const startedAt = performance.now();
  await inBatches(count, 4, async (from) => {
    const events = Array.from({ length: BATCH }, (_, at) => ({
      id: `api-${String(from + at)}`,
      source: 'bench',
      category: 'bench',
      action: 'bench.ingested',
      metadata: { amount: from + at, status: 'done' },
      content: 'what a line of the record holds',
    }));
    const response = await fetch(`${apiUrl}/audit/ingest`, {
      method: 'POST',
      headers: { authorization: `Bearer ${await member('finance-agent').token()}`, 'content-type': 'application/json' },
      body: JSON.stringify({ events }),
    });
    if (response.status !== 202)
      throw new Error(`/audit/ingest answered ${String(response.status)}: ${await response.text()}`);
  });
  report(
    `append over the API, batches of 1,000, 4 at once (${count.toLocaleString('en')})`,
    `${perSecond(count, startedAt)} events/s`,
  );
}

async function appendToDatabase(database: Database, organisation: string, count: number): Promise<void> {
  const startedAt = performance.now();
  await inBatches(count, 4, async (from) => {
    const events = Array.from({ length: BATCH }, (_, at) => newEvent(from + at));
    await database.transaction(organisation, (sql) => appendAudit(sql, events));
  });
  report(
    `append in the database, batches of 1,000, 4 at once (${count.toLocaleString('en')})`,
    `${perSecond(count, startedAt)} events/s`,
  );
}

/** Fills up to a number of events by SQL alone: what is measured here is not appending. */
async function fill({ stack, organisationId }: BenchStack, upTo: number): Promise<void> {
  const client = new pg.Client({ connectionString: stack.config.databaseOwnerUrl });
  await client.connect();
  const { rows } = await client.query<{ count: number }>('SELECT count(*)::int AS count FROM audit_events');
  for (let at = rows[0]?.count ?? 0; at < upTo; at += 50_000)
    await client.query(
      `INSERT INTO audit_events (organisation_id, at, actor_kind, actor_id, actor_role, action, subject_kind, subject_id, outcome,
         policies, privacy, details, source, category, trace_id)
       SELECT $1, now(), 'agent', 'agent_01a1fe91-0e38-722e-80d5-ffd9c7db9c07', 'finance', 'bench.filled', 'external', 'thing-' || n, 'ok',
         '{organisation-members-send-tasks}', '{"email": 1}',
         jsonb_build_object('amount', n, 'status', 'done', 'note', 'what a line of the record holds'), 'bench', 'bench', 'bench-' || n
       FROM generate_series($2::int, $3::int) AS n`,
      [organisationId, at, Math.min(upTo, at + 50_000) - 1],
    );
  await client.query('ANALYZE audit_events, audit_seals, audit_pending');
  await client.end();
}

/** The worker of the stack seals as well: this sealer only has to be there until nothing waits any more. */
async function seal(database: Database, bench: BenchStack, upTo: number): Promise<void> {
  const file = auditKeysFile(bench.stack.config.dataDir);
  const startedAt = performance.now();
  const sealedNow = async (): Promise<number> =>
    Number(
      (
        await database.inOrganisation(bench.organisationId, (sql) =>
          sql.query<{ index: string }>('SELECT coalesce(max(index), 0)::text AS index FROM audit_seals'),
        )
      )[0]?.index,
    );
  const before = await sealedNow();
  for (let more = true; more;) {
    const done = await sealBatch(database, bench.organisationId, { signer: () => signingKey(file) });
    more = done.more;
    if (done.busy) await new Promise((resolve) => setTimeout(resolve, 1));
  }
  report(
    `sealing (${upTo.toLocaleString('en')} events in all)`,
    `${perSecond((await sealedNow()) - before, startedAt)} events/s`,
  );
}

/** The largest memory of a process so far, from /proc (Linux). */
const peakOf = (pid: number): string => {
  try {
    const [, kilobytes] = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${String(pid)}/status`, 'utf8')) ?? [];
    return kilobytes === undefined ? '?' : `${String(Math.round(Number(kilobytes) / 1_024))} MiB`;
  } catch {
    return '?';
  }
};

async function command(
  bench: BenchStack,
  args: readonly string[],
): Promise<{ readonly peak: string; readonly code: number }> {
  const { databaseUrl, dataDir } = bench.stack.config;
  const env = { ...process.env, SWITCHBOARD_DATABASE_URL: databaseUrl, SWITCHBOARD_DATA_DIR: dataDir };
  const child = spawn(process.execPath, ['cli/audit/main.ts', ...args], {
    cwd: root,
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  createInterface({ input: child.stdout }).on('line', (line) => console.error(line));
  let peak = '?';
  const look = setInterval(() => {
    const now = peakOf(child.pid ?? 0);
    if (now !== '?') peak = now;
  }, 100);
  const [code] = (await once(child, 'close')) as [number];
  clearInterval(look);
  return { peak, code };
}

async function exportAndVerify(bench: BenchStack, rows: number): Promise<void> {
  const file = path.join(bench.stack.config.dataDir, 'export.ndjson');
  const count = rows.toLocaleString('en');
  for (const [what, args] of [
    [`export of ${count} events to a file`, ['export', '--organisation', bench.organisationId, '--out', file]],
    [`verify of ${count} events in the database`, ['verify', '--organisation', bench.organisationId]],
    [`verify of ${count} events from the file`, ['verify', '--file', file]],
  ] as const) {
    const startedAt = performance.now();
    const { peak, code } = await command(bench, args);
    report(what, `${seconds(startedAt)}, peak RSS ${peak}${code === 0 ? '' : `, exit code ${String(code)}`}`);
  }
  report('size of the file', `${String(Math.round(statSync(file).size / 2 ** 20))} MiB`);
}

async function exportOverApi({ stack, apiUrl, member }: BenchStack, rows: number): Promise<void> {
  const startedAt = performance.now();
  await promisify(execFile)('curl', [
    '-sf',
    '-o',
    '/dev/null',
    '-H',
    `authorization: Bearer ${await member('Helena Voss').token()}`,
    `${apiUrl}/audit/export`,
  ]);
  report(
    `export of ${rows.toLocaleString('en')} events over the API`,
    `${seconds(startedAt)}, peak RSS of the API ${peakOf(stack.pid('api'))}`,
  );
}

/** Appending to the record, sealing it, and exporting and verifying it at full size. */
export async function benchRecord(bench: BenchStack, rows = 1_000_000): Promise<void> {
  const database = openDatabase({ url: bench.databaseUrl, max: 6 });
  try {
    console.log('| record | figure |\n| --- | --- |');
    await appendOverApi(bench, 20_000);
    await appendToDatabase(database, bench.organisationId, 50_000);
    await fill(bench, rows);
    await seal(database, bench, rows);
    await exportOverApi(bench, rows);
    await exportAndVerify(bench, rows);
  } finally {
    await database.close();
  }
}
