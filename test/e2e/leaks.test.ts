import { appendFileSync, readFileSync } from 'node:fs';
import path from 'node:path';

import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import pg from 'pg';
import test from 'ava';

import { DANA } from '../../cli/demo/personal-data.ts';
import { openCast } from '../../cli/demo/cast.ts';
import { Checks } from '../../cli/demo/checks.ts';
import { play } from '../../cli/demo/play.ts';
import { readCredentials } from '../../db/embedded/credentials.ts';
import { locateCluster } from '../../db/embedded/location.ts';
import { connectTemporal } from '../../temporal/connection.ts';
import { organisationOfWorkflow, SYSTEM_ORGANISATION } from '../../contracts/codec.ts';
import { sealingOf } from '../../temporal/codec.ts';
import { fromWire } from '../../temporal/remote-codec.ts';
import { mapPayloads } from '../support/history-payloads.ts';
import type { HistoryJson } from '../support/history-payloads.ts';
import { filesIn, leaksIn, tablesOf } from '../support/leaks.ts';
import type { Stored } from '../support/leaks.ts';
import { startScenarioStack } from '../support/scenario-stack.ts';
import type { ScenarioStack } from '../support/scenario-stack.ts';

/** What the guard recognises of the scenarios: nowhere in clear. The sealed store holds it encrypted. */
const RECOGNISED = [DANA.email, DANA.card, DANA.iban, DANA.ssn];

/**
 * A name is nothing that the guard recognises (no recogniser for names yet), so it stays in texts that are masked. It may
 * stand in the database, where those texts are, and nowhere else.
 */
const UNRECOGNISED = [DANA.name];
const TEXTS = /^table (contents\.masked|notifications\.(message|title|data)|shards\.content)$/;

/** People of the organisation are directory data: `users` names them, so that they can be found and notified. */
const directory = readFileSync(path.resolve(import.meta.dirname, '../../profiles/demo/people.csv'), 'utf8');
const EMAILS = [...directory.matchAll(/[\w.]+@[\w.]+/g)].map(([email]) => email);

const CANARIES = {
  payload: 'canary.payload@example.com',
  memo: 'canary.memo@example.com',
  reason: 'canary.reason@example.com',
  encoded: 'canary.encoded@example.com',
  wide: 'canary.wide@example.com',
  row: 'canary.row@example.com',
  compressed: 'canary.compressed@example.com',
  log: 'canary.log@example.com',
} as const;

interface Corpora {
  readonly temporal: readonly Stored[];
  readonly postgres: readonly Stored[];
  readonly tables: readonly Stored[];
  readonly others: readonly Stored[];
  readonly histories: readonly HistoryJson[];
}

let corpora: Corpora;

test.before(async (t) => {
  t.timeout(240_000);
  const running = await startScenarioStack();
  try {
    const cast = await openCast(running.place);
    let checks = new Checks();
    try {
      checks = await play(cast, ['expense', 'legal', 'departments'], { say: () => undefined });
    } finally {
      await cast.close();
    }
    t.deepEqual(checks.failed, []);
    await plant(running);
    corpora = await collect(running);
  } finally {
    await running.close();
  }
});

/** Puts values where a leak would put them, in clear and in other encodings. */
async function plant({ stack, place }: ScenarioStack): Promise<void> {
  const { connection, client } = await connectTemporal(place.temporal);
  const handle = await client.workflow.start('canary', {
    taskQueue: 'canary',
    workflowId: 'canary',
    args: [CANARIES.payload, Buffer.from(`..${CANARIES.encoded}..`).toString('base64')],
    memo: { note: CANARIES.memo },
  });
  await handle.terminate(CANARIES.reason);
  await connection.close();
  const sql = new pg.Client({ connectionString: superuserUrl(stack.config) });
  await sql.connect();
  const insert = "INSERT INTO contents (organisation_id, id, masked) VALUES ('org_canary', $1, to_jsonb($2::text))";
  await sql.query(insert, ['short', CANARIES.row]);
  await sql.query(insert, ['long', `${CANARIES.compressed} `.repeat(10_000)]);
  await sql.end();
  appendFileSync(stack.logFile, `${JSON.stringify({ level: 'info', msg: CANARIES.log })}\n`);
  appendFileSync(stack.logFile, Buffer.from(CANARIES.wide, 'utf16le'));
}

type Config = ScenarioStack['stack']['config'];
const superuserUrl = ({ dataDir, postgresPort }: Config): string =>
  `postgres://postgres:${readCredentials(dataDir).superuser}@127.0.0.1:${String(postgresPort)}/switchboard`;

async function collect({ stack, place }: ScenarioStack): Promise<Corpora> {
  const { dataDir } = stack.config;
  const { cluster } = locateCluster(dataDir);
  const tables = await tablesOf(superuserUrl(stack.config));
  const temporal = path.join(dataDir, 'temporal');
  const read = await readHistories(place.temporal);
  return {
    tables,
    postgres: filesIn(cluster, 'postgres'),
    temporal: [...filesIn(temporal, 'temporal'), ...read.stored],
    histories: read.histories,
    // The development provider's people, for the developer alone: what an identity provider keeps anywhere.
    others: filesIn(
      dataDir,
      'data',
      new RegExp(`^((${cluster}|${temporal})/|${path.join(dataDir, 'passwords.json')}$)`),
    ),
  };
}

/** Histories, search attributes and memos as the server gives them to anybody who may read the namespace. */
async function readHistories(
  place: ScenarioStack['place']['temporal'],
): Promise<{ readonly stored: Stored[]; readonly histories: HistoryJson[] }> {
  const { connection, client } = await connectTemporal(place);
  const stored: Stored[] = [];
  const histories: HistoryJson[] = [];
  for await (const { workflowId, runId, raw } of client.workflow.list()) {
    const history = await client.workflow.getHandle(workflowId, runId).fetchHistory();
    const json = historyToJSON(history);
    if (workflowId !== 'canary') histories.push(JSON.parse(json) as HistoryJson);
    const data = [...json.matchAll(/"data": "([^"]*)"/g)].map(([, base64]) => Buffer.from(base64 ?? '', 'base64'));
    const text = Buffer.from(`${json}\n${JSON.stringify(raw)}\n`);
    stored.push({ name: `history of ${workflowId}`, bytes: Buffer.concat([text, ...data]) });
  }
  await connection.close();
  return { stored, histories };
}

const found = (stored: readonly Stored[], value: string): boolean => leaksIn(stored, [value]).length > 0;

test('GUARD-4, OPS-4: the search finds what is planted, in every place and form', (t) => {
  const { temporal, postgres, tables, others } = corpora;
  for (const name of ['payload', 'memo', 'reason', 'encoded'] as const) {
    t.true(
      found(
        temporal.filter((one) => one.name.startsWith('temporal/')),
        CANARIES[name],
      ),
      `${name} in the files`,
    );
    t.true(
      found(
        temporal.filter((one) => one.name.startsWith('history')),
        CANARIES[name],
      ),
      `${name} in the histories`,
    );
  }
  t.true(
    found(
      postgres.filter((one) => one.name.includes('pg_wal')),
      CANARIES.row,
    ),
    'in the WAL',
  );
  t.true(
    found(
      postgres.filter((one) => one.name.includes('/base/')),
      CANARIES.row,
    ),
    'in the data files',
  );
  t.true(found(tables, CANARIES.row));
  t.true(found(tables, CANARIES.compressed), 'what Postgres compressed');
  for (const name of ['log', 'wide'] as const) t.true(found(others, CANARIES[name]), name);
});

test('GUARD-4, OPS-4: no personal value of the scenarios is in clear in Temporal, Postgres or any log', (t) => {
  const { temporal, postgres, tables, others } = corpora;
  t.true(temporal.filter((one) => one.name.startsWith('history of task:')).length >= 4);
  t.deepEqual(leaksIn([...temporal, ...postgres, ...tables, ...others], RECOGNISED), []);
});

test('GUARD-4, OPS-4: what the guard does not recognise stays within the texts of the database', (t) => {
  const { temporal, tables, others } = corpora;
  t.deepEqual(leaksIn([...temporal, ...others], UNRECOGNISED), []);
  const outside = tables.filter(({ name }) => !TEXTS.test(name));
  t.deepEqual(leaksIn(outside, UNRECOGNISED), []);
});

test('OPS-4: e-mail addresses of the directory are in the directory alone', (t) => {
  const { temporal, tables, others } = corpora;
  t.true(EMAILS.length >= 8);
  t.deepEqual(leaksIn([...temporal, ...others], EMAILS), []);
  const places = new Set(leaksIn(tables, EMAILS).map(({ where }) => where));
  t.deepEqual([...places], ['table users.email']);
});

test('OPS-4: every payload of every history is encrypted for its organisation and bound to its workflow', async (t) => {
  const kinds = new Set<string>();
  for (const history of corpora.histories)
    await mapPayloads(history, (payload, workflowId) => {
      const sealing = sealingOf(fromWire(payload));
      const organisationId = organisationOfWorkflow(workflowId);
      const bound = organisationId === SYSTEM_ORGANISATION ? '' : workflowId;
      t.deepEqual(sealing, { organisationId, version: 1, workflowId: bound }, workflowId);
      kinds.add(workflowId.split(':')[0] ?? '');
      return Promise.resolve(payload);
    });
  for (const kind of ['task', 'approval', 'session', 'fanout']) t.true(kinds.has(kind), [...kinds].join(' '));
});

test('OPS-4: histories show no message, stack or detail of a failure', (t) => {
  for (const { name, bytes } of corpora.temporal.filter((one) => one.name.startsWith('history of'))) {
    // The canary is the one that says something.
    if (name === 'history of canary') continue;
    const messages = [...bytes.toString().matchAll(/"message":\s*"([^"]*)"/g)].map(([, message]) => message);
    t.deepEqual(
      messages.filter((message) => message !== 'Encoded failure'),
      [],
      name,
    );
    t.notRegex(bytes.toString(), /"stackTrace":\s*"[^"]+"/, name);
  }
});
