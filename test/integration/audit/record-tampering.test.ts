import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import test from 'ava';
import type pg from 'pg';

import { claimsOf } from '../../../db/audit/statement.ts';
import { EVENT_COLUMNS } from '../../../db/audit/event.ts';
import { sealBatch } from '../../../db/audit/seal.ts';
import { keepWitness } from '../../../db/audit/witness.ts';
import { createDatabase, dropDatabase } from '../../../db/embedded/roles.ts';
import { migrate } from '../../../db/migrate.ts';
import { openDatabase } from '../../../db/pool.ts';
import type { Database } from '../../../db/pool.ts';
import { testServers } from '../../support/environment.ts';
import { append, inDatabase, newEvent, newOrganisation, sealAll, signerOf, verdict } from './record-scene.ts';

let database: Database;
let appUrl: string;
const name = `test_record_${String(process.pid)}`;
const folder = mkdtempSync(path.join(tmpdir(), 'switchboard-record-'));
test.before(async () => {
  const urls = await createDatabase(testServers().postgres, name);
  await migrate(urls.ownerUrl);
  appUrl = urls.appUrl;
  database = openDatabase({ url: appUrl, max: 10 });
});
test.after.always(async () => {
  await database.close();
  await dropDatabase(testServers().postgres, name);
  rmSync(folder, { recursive: true, force: true });
});

const TABLES = ['audit_events', 'audit_seals', 'audit_checkpoints', 'audit_retentions'] as const;

/** Changes the tables as somebody who may do everything. */
const tamper = (statement: string, values: readonly unknown[]): Promise<pg.QueryResult> =>
  inDatabase(appUrl, 'superuser', async (client) => {
    for (const table of TABLES) await client.query(`ALTER TABLE ${table} DISABLE TRIGGER ALL`);
    try {
      return await client.query(statement, [...values]);
    } finally {
      for (const table of TABLES) {
        await client.query(`ALTER TABLE ${table} ENABLE TRIGGER ALL`);
        await client.query(`ALTER TABLE ${table} ENABLE ALWAYS TRIGGER ${table}_kept`);
        await client.query(`ALTER TABLE ${table} ENABLE ALWAYS TRIGGER ${table}_not_removed`);
      }
    }
  });

/** An organisation with so many sealed events, a checkpoint after each ten. */
async function sealed(count = 25): Promise<string> {
  const organisation = await newOrganisation(database);
  for (let made = 0; made < count; made += 10) {
    await append(database, organisation, Math.min(10, count - made));
    await sealAll(database, organisation, folder);
  }
  return organisation;
}

const kinds = async (organisation: string): Promise<unknown[]> =>
  (await verdict(database, organisation, folder)).findings.map(({ kind, index }) => [kind, index]);
const positionOf = '(SELECT position FROM audit_seals WHERE organisation_id = $1 AND index = 12)';

test.serial('AUD-1: every column of an event is sealed', async (t) => {
  const { rows } = await inDatabase(appUrl, 'superuser', (client) =>
    client.query<{ column_name: string }>(
      "SELECT column_name FROM information_schema.columns WHERE table_name = 'audit_events'",
    ),
  );
  t.deepEqual(rows.map((row) => row.column_name).sort(), [...EVENT_COLUMNS].sort());
});

test.serial('AUD-1: an untouched record holds, through several checkpoints', async (t) => {
  const organisation = await sealed();
  const { findings, verified } = await verdict(database, organisation, folder);
  t.deepEqual(findings, []);
  t.like(verified, { entries: 25, checkpoints: 3, index: 25, unsigned: 0, pending: 0, from: 1 });
});

test.serial('AUD-1: any column that is changed in the database is found, and its row named', async (t) => {
  const changes: Record<string, string> = {
    at: "at + interval '1 microsecond'",
    policies: "policies || '{x}'::text[]",
    privacy: `privacy || '{"x":1}'`,
    details: `jsonb_set(details, '{nested,list,1}', '2.6')`,
    sequence: 'coalesce(sequence, 0) + 1',
  };
  for (const column of EVENT_COLUMNS.filter((one) => !['position', 'organisation_id', 'id'].includes(one))) {
    const organisation = await sealed(12);
    await tamper(
      `UPDATE audit_events SET ${column} = ${changes[column] ?? `coalesce(${column}, '') || 'x'`} WHERE organisation_id = $1 AND position = ${positionOf}`,
      [organisation],
    );
    const { findings } = await verdict(database, organisation, folder);
    t.is(findings.length, 1, column);
    t.like(findings[0], { kind: 'event_changed', index: 12 }, column);
  }
});

test.serial('AUD-1: digits that a double would round are sealed too', async (t) => {
  const organisation = await newOrganisation(database);
  await inDatabase(appUrl, 'owner', (client) =>
    client.query(
      `INSERT INTO audit_events (organisation_id, at, actor_kind, actor_id, action, subject_kind, subject_id, outcome, category, trace_id, details)
       VALUES ($1, now(), 'user', 'u', 'a', 's', 's', 'ok', 'c', 't', '{"amount": 9007199254740993, "b": 1e400}')`,
      [organisation],
    ),
  );
  await sealAll(database, organisation, folder);
  t.deepEqual(await kinds(organisation), []);
  await tamper(
    `UPDATE audit_events SET details = jsonb_set(details, '{amount}', '9007199254740992') WHERE organisation_id = $1`,
    [organisation],
  );
  t.deepEqual(await kinds(organisation), [['event_changed', 1]]);
});

test.serial('AUD-1: a removed, an exchanged and an added event are found and named', async (t) => {
  const removed = await sealed();
  await tamper(`DELETE FROM audit_events WHERE organisation_id = $1 AND position = ${positionOf}`, [removed]);
  t.deepEqual(await kinds(removed), [['event_missing', 12]]);

  const moved = await sealed();
  const [a, b] = (
    await inDatabase(appUrl, 'superuser', (client) =>
      client.query<{ position: string }>(
        'SELECT position FROM audit_seals WHERE organisation_id = $1 AND index IN (3, 12) ORDER BY index',
        [moved],
      ),
    )
  ).rows.map(({ position }) => position);
  await tamper('ALTER TABLE audit_events ALTER COLUMN position DROP IDENTITY IF EXISTS', []);
  for (const [from, to] of [
    [a, '-1'],
    [b, a],
    ['-1', b],
  ])
    await tamper('UPDATE audit_events SET position = $3 WHERE organisation_id = $1 AND position = $2', [
      moved,
      from,
      to,
    ]);
  await tamper('ALTER TABLE audit_events ALTER COLUMN position ADD GENERATED ALWAYS AS IDENTITY', []);
  await tamper(
    `SELECT setval(pg_get_serial_sequence('audit_events', 'position'), (SELECT max(position) FROM audit_events))`,
    [],
  );
  t.deepEqual((await kinds(moved)).sort(), [
    ['event_reordered', 12],
    ['event_reordered', 3],
  ]);

  const added = await sealed();
  await tamper(
    `INSERT INTO audit_events (organisation_id, at, actor_kind, actor_id, action, subject_kind, subject_id, outcome, category, trace_id)
     VALUES ($1, now(), 'user', 'u', 'approval.approved', 'approval', 's', 'ok', 'c', 't')`,
    [added],
  );
  const { findings } = await verdict(database, added, folder);
  t.is(findings.length, 1);
  t.like(findings[0], { kind: 'event_added' });
  t.regex(findings[0]?.detail ?? '', /evt_.* at position \d+/);
});

test.serial('AUD-1: an event that is removed before it was sealed is found', async (t) => {
  const organisation = await sealed(5);
  const [id] = await append(database, organisation, 1);
  await tamper('DELETE FROM audit_events WHERE organisation_id = $1 AND id = $2', [organisation, id]);
  await append(database, organisation, 3);
  await sealAll(database, organisation, folder);
  const { findings, verified } = await verdict(database, organisation, folder);
  t.deepEqual(
    findings.map(({ kind }) => kind),
    ['event_missing'],
  );
  t.is(verified.entries, 8, 'the others are sealed all the same');
});

test.serial('AUD-1: changed, removed and rewritten links and checkpoints are found', async (t) => {
  const cases: [string, string, readonly unknown[]][] = [
    [
      'a hash',
      `UPDATE audit_seals SET hash = decode(repeat('ab', 32), 'hex') WHERE organisation_id = $1 AND index = 12`,
      [
        ['entry_changed', 12],
        ['chain_rewritten', 11],
      ],
    ],
    [
      'a digest',
      `UPDATE audit_seals SET event_digest = decode(repeat('ab', 32), 'hex') WHERE organisation_id = $1 AND index = 12`,
      [
        ['entry_changed', 12],
        ['event_changed', 12],
      ],
    ],
    [
      'a time',
      `UPDATE audit_seals SET sealed_at = sealed_at + interval '1 ms' WHERE organisation_id = $1 AND index = 12`,
      [['entry_changed', 12]],
    ],
    [
      'a link',
      'DELETE FROM audit_seals WHERE organisation_id = $1 AND index = 12',
      [
        ['entry_missing', 12],
        ['event_added', undefined],
      ],
    ],
    [
      'the end',
      'DELETE FROM audit_seals WHERE organisation_id = $1 AND index > 20',
      [['end_missing', 21], ...Array.from({ length: 5 }, () => ['event_added', undefined])],
    ],
    [
      'a checkpoint',
      'DELETE FROM audit_checkpoints WHERE organisation_id = $1 AND index = 10',
      [['checkpoint_missing', 1]],
    ],
    [
      'a signature',
      `UPDATE audit_checkpoints SET jws = left(jws, -4) || 'AAAA' WHERE organisation_id = $1 AND index = 10`,
      [
        ['checkpoint_invalid', 10],
        ['checkpoint_missing', 1],
      ],
    ],
    [
      'its place',
      `UPDATE audit_checkpoints SET index = 9 WHERE organisation_id = $1 AND index = 10`,
      [
        ['checkpoint_invalid', 9],
        ['checkpoint_missing', 1],
      ],
    ],
  ];
  for (const [what, statement, expected] of cases) {
    const organisation = await sealed();
    await tamper(statement, [organisation]);
    t.deepEqual(await kinds(organisation), expected, what);
  }
});

test.serial(
  'AUD-1: an end that is cut off with its checkpoints is found by the checkpoint kept beside the database',
  async (t) => {
    const organisation = await sealed();
    const witnessFolder = path.join(folder, 'witness');
    const { rows } = await inDatabase(appUrl, 'superuser', (client) =>
      client.query<{ jws: string }>(
        'SELECT jws FROM audit_checkpoints WHERE organisation_id = $1 ORDER BY index DESC LIMIT 1',
        [organisation],
      ),
    );
    keepWitness(witnessFolder, organisation, { index: 25, jws: rows[0]?.jws ?? '' });
    t.deepEqual((await verdict(database, organisation, folder, { witnessFolder })).findings, []);
    await tamper(
      'DELETE FROM audit_events WHERE organisation_id = $1 AND position IN (SELECT position FROM audit_seals WHERE organisation_id = $1 AND index > 10)',
      [organisation],
    );
    await tamper('DELETE FROM audit_seals WHERE organisation_id = $1 AND index > 10', [organisation]);
    await tamper('DELETE FROM audit_checkpoints WHERE organisation_id = $1 AND index > 10', [organisation]);
    t.deepEqual(await kinds(organisation), [], 'the database alone cannot tell');
    t.deepEqual(
      (await verdict(database, organisation, folder, { witnessFolder })).findings.map(({ kind, index }) => [
        kind,
        index,
      ]),
      [['end_missing', 25]],
    );
    keepWitness(witnessFolder, organisation, { index: 10, jws: 'older' });
    t.is(
      (await verdict(database, organisation, folder, { witnessFolder })).findings.length,
      1,
      'an older checkpoint does not replace it',
    );
  },
);

test.serial(
  'AUD-1: neither the application nor the owner of the tables changes, removes or empties the record',
  async (t) => {
    const organisation = await sealed(3);
    const statements = TABLES.flatMap((table) => [
      `UPDATE ${table} SET organisation_id = 'x' WHERE organisation_id = '${organisation}'`,
      `TRUNCATE ${table} CASCADE`,
      ...(table === 'audit_retentions' ? [] : [`DELETE FROM ${table} WHERE organisation_id = '${organisation}'`]),
    ]);
    await inDatabase(appUrl, 'owner', async (client) => {
      for (const statement of statements)
        await t.throwsAsync(client.query(statement), { message: /append-only|must be owner/ }, statement);
      // An invented permission lets go of nothing that verify would not find.
      await client.query('BEGIN');
      await client.query(`INSERT INTO audit_retentions VALUES ($1, 3, 'invented', now())`, [organisation]);
      t.is((await client.query('DELETE FROM audit_events WHERE organisation_id = $1', [organisation])).rowCount, 3);
      await t.throwsAsync(client.query('DELETE FROM audit_retentions WHERE organisation_id = $1', [organisation]), {
        message: /append-only/,
      });
      await client.query('ROLLBACK');
    });
    await inDatabase(appUrl, 'superuser', async (client) => {
      await client.query("SET session_replication_role = 'replica'");
      for (const statement of statements)
        await t.throwsAsync(client.query(statement), { message: /append-only/ }, `replica: ${statement}`);
    });
    const asApplication = (statement: string) => database.inOrganisation(organisation, (sql) => sql.query(statement));
    for (const statement of statements)
      await t.throwsAsync(asApplication(statement), { message: /permission denied/ }, statement);
    await t.throwsAsync(asApplication(`INSERT INTO audit_retentions VALUES ('${organisation}', 1, '', now())`), {
      message: /permission denied/,
    });
    await t.throwsAsync(asApplication(`INSERT INTO audit_pending VALUES ('${organisation}', 1)`), {
      message: /permission denied/,
    });
    t.deepEqual(await kinds(organisation), []);
  },
);

test.serial('AUD-1: a row of a transaction that commits late is sealed late, never skipped', async (t) => {
  const organisation = await newOrganisation(database);
  const written = Promise.withResolvers<undefined>();
  const commit = Promise.withResolvers<undefined>();
  const late = database.transaction(organisation, async (sql) => {
    await sql.query(
      `INSERT INTO audit_events (organisation_id, at, actor_kind, actor_id, action, subject_kind, subject_id, outcome, category, trace_id)
       VALUES (current_setting('app.organisation'), now(), 'user', 'u', 'late', 's', 's', 'ok', 'c', 't')`,
    );
    written.resolve(undefined);
    await commit.promise;
  });
  await written.promise;
  await append(database, organisation, 5);
  await sealAll(database, organisation, folder);
  t.is((await verdict(database, organisation, folder)).verified.entries, 5);
  commit.resolve(undefined);
  await late;
  await append(database, organisation, 1);
  await sealAll(database, organisation, folder);
  const { findings, verified } = await verdict(database, organisation, folder);
  t.deepEqual(findings, []);
  t.is(verified.entries, 7);
});

test.serial('AUD-1: several sealers at once make one chain', async (t) => {
  const organisation = await newOrganisation(database);
  const appended = Array.from({ length: 20 }, () => append(database, organisation, 50));
  const sealing = Array.from({ length: 5 }, async () => {
    for (let at = 0; at < 30; at += 1)
      await sealBatch(database, organisation, { signer: signerOf(folder), batch: 40, checkpointAfterMs: 0 });
  });
  await Promise.all([...appended, ...sealing]);
  await sealAll(database, organisation, folder);
  const { findings, verified } = await verdict(database, organisation, folder);
  t.deepEqual(findings, []);
  t.like(verified, { entries: 1_000, pending: 0 });
});

test.serial('AUD-1: a range is verified from the checkpoint before it to the one behind it', async (t) => {
  const organisation = await sealed();
  const ranged = (from?: string, to?: string) =>
    verdict(database, organisation, folder, {
      range: { ...(from !== undefined && { from }), ...(to !== undefined && { to }) },
    });
  t.like(await ranged('12', '15'), { findings: [], verified: { from: 11, index: 20, entries: 10 } });
  t.like(await ranged('2026-01-01'), { findings: [], verified: { from: 1, index: 25 } });
  t.like(await ranged('2999-01-01'), { findings: [], verified: { from: 26, entries: 0 } });
  await tamper(`UPDATE audit_events SET outcome = 'x' WHERE organisation_id = $1 AND position = ${positionOf}`, [
    organisation,
  ]);
  t.is((await ranged('12')).findings.length, 1);
  t.is((await ranged('21')).findings.length, 0);
});

test.serial('AUD-2: equal events are told apart by their ids, and a batch is one statement', async (t) => {
  const organisation = await newOrganisation(database);
  const ids = await append(database, organisation, 1_000, newEvent());
  t.is(new Set(ids).size, 1_000);
  await sealAll(database, organisation, folder, 300);
  const { verified } = await verdict(database, organisation, folder);
  t.like(verified, { entries: 1_000, findings: 0 });
  const { rows } = await inDatabase(appUrl, 'superuser', (client) =>
    client.query<{ jws: string }>('SELECT jws FROM audit_checkpoints WHERE organisation_id = $1', [organisation]),
  );
  t.like(claimsOf('checkpoint', rows[0]?.jws ?? ''), { organisation, from: 1, previous: null });
});
