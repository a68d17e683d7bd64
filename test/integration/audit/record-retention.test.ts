import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import test from 'ava';

import { auditKeysFile, publicKeys, rotateKey, signingKey } from '../../../db/audit/keys.ts';
import { makeReceipt } from '../../../db/audit/receipt-make.ts';
import { applyRetention } from '../../../db/audit/retention.ts';
import { startSealer } from '../../../db/audit/sealer.ts';
import { createDatabase, dropDatabase } from '../../../db/embedded/roles.ts';
import { migrate } from '../../../db/migrate.ts';
import { openDatabase } from '../../../db/pool.ts';
import type { Database } from '../../../db/pool.ts';
import { createLogger } from '../../../platform/log.ts';
import { testServers } from '../../support/environment.ts';
import { eventually } from '../../support/rest.ts';
import { append, inDatabase, newOrganisation, sealAll, signerOf, verdict } from './record-scene.ts';

let database: Database;
let owner: Database;
let appUrl: string;
const name = `test_retention_${String(process.pid)}`;
const folder = mkdtempSync(path.join(tmpdir(), 'switchboard-record-'));
const log = createLogger({ name: 'test', level: 'silent' });
test.before(async () => {
  const urls = await createDatabase(testServers().postgres, name);
  await migrate(urls.ownerUrl);
  appUrl = urls.appUrl;
  database = openDatabase({ url: appUrl, max: 10 });
  owner = openDatabase({ url: urls.ownerUrl, max: 2 });
});
test.after.always(async () => {
  await database.close();
  await owner.close();
  await dropDatabase(testServers().postgres, name);
  rmSync(folder, { recursive: true, force: true });
});

const count = async (organisation: string, table: string): Promise<number> =>
  (
    await database.inOrganisation(organisation, (sql) =>
      sql.query<{ count: number }>(`SELECT count(*)::int AS count FROM ${table}`),
    )
  )[0]?.count ?? -1;

test.serial(
  'AUD-2: retention removes up to a checkpoint, says so under signature, and what remains verifies',
  async (t) => {
    const organisation = await newOrganisation(database);
    const signer = signerOf(folder);
    const verify = async () => (await verdict(database, organisation, folder)).findings;
    await append(database, organisation, 10);
    await sealAll(database, organisation, folder);
    await append(database, organisation, 10);
    await sealAll(database, organisation, folder);
    await sleep(5);
    const before = new Date();
    await sleep(5);
    await append(database, organisation, 10);
    await sealAll(database, organisation, folder);
    await append(database, organisation, 2);
    t.is(await applyRetention(owner, organisation, { before: new Date(0), signer }), undefined, 'nothing is that old');
    t.like(await applyRetention(owner, organisation, { before, signer }), {
      from: 1,
      through: 20,
      removed: 20,
      previous: null,
    });
    t.is(await count(organisation, 'audit_events'), 12);
    t.is(await count(organisation, 'audit_seals'), 10);
    t.is(await count(organisation, 'audit_checkpoints'), 2, 'the one that was cut at stays');
    t.deepEqual(await verify(), []);
    t.is(await applyRetention(owner, organisation, { before, signer }), undefined, 'a second run removes nothing');
    await sealAll(database, organisation, folder);
    t.deepEqual(await verify(), []);
    await sleep(5);
    t.like(await applyRetention(owner, organisation, { before: new Date(), signer }), {
      from: 21,
      through: 32,
      removed: 12,
    });
    t.is(await count(organisation, 'audit_seals'), 0);
    t.deepEqual(await verify(), [], 'nothing is left, and that is accounted for');
    const [id] = await append(database, organisation, 3);
    await sealAll(database, organisation, folder);
    const { findings, verified } = await verdict(database, organisation, folder);
    t.deepEqual(findings, []);
    t.like(verified, { from: 33, index: 35, entries: 3 });
    t.like(await makeReceipt(database, organisation, id ?? ''), { complete: true });
  },
);

test.serial('AUD-2: a beginning that is missing without a signed statement is found', async (t) => {
  const organisation = await newOrganisation(database);
  for (let at = 0; at < 3; at += 1) {
    await append(database, organisation, 10);
    await sealAll(database, organisation, folder);
  }
  // The owner can make the triggers let go, but cannot sign.
  await inDatabase(appUrl, 'owner', async (client) => {
    await client.query(`INSERT INTO audit_retentions VALUES ($1, 10, 'e30.e30.AA', now())`, [organisation]);
    await client.query(
      'DELETE FROM audit_events e USING audit_seals s WHERE e.organisation_id = $1 AND s.organisation_id = $1 AND s.position = e.position AND s.index <= 10',
      [organisation],
    );
    await client.query('DELETE FROM audit_seals WHERE organisation_id = $1 AND index <= 10', [organisation]);
  });
  const { findings } = await verdict(database, organisation, folder);
  t.deepEqual(
    findings.map(({ kind, index }) => [kind, index]),
    [
      ['retention_invalid', undefined],
      ['end_missing', 1],
      ['entry_missing', 1],
    ],
  );
});

test.serial(
  'AUD-1: keys are made once, private to their owner; after a rotation old checkpoints still verify',
  async (t) => {
    const own = mkdtempSync(path.join(tmpdir(), 'switchboard-keys-'));
    t.teardown(() => rmSync(own, { recursive: true, force: true }));
    const file = auditKeysFile(own);
    const { kid } = signingKey(file);
    t.is(statSync(file).mode & 0o777, 0o600);
    const organisation = await newOrganisation(database);
    await append(database, organisation, 2);
    await sealAll(database, organisation, own);
    const rotated = rotateKey(file);
    t.is(signingKey(file).kid, rotated);
    t.deepEqual(
      publicKeys(file).keys.map((one) => one.kid),
      [rotated, kid],
    );
    t.false(JSON.stringify(publicKeys(file)).includes('"d"'));
    t.is(statSync(file).mode & 0o777, 0o600);
    await append(database, organisation, 2);
    await sealAll(database, organisation, own);
    t.like(await verdict(database, organisation, own), { findings: [], verified: { checkpoints: 2 } });
    t.true(
      (await verdict(database, organisation, folder)).findings.every(
        ({ kind }) => kind === 'checkpoint_invalid' || kind === 'checkpoint_missing',
      ),
    );
  },
);

test.serial(
  'AUD-1: sealers go on when their connections die, another takes over, and a stop signs what is sealed',
  async (t) => {
    const organisation = await newOrganisation(database);
    const pools = [0, 1].map(() => openDatabase({ url: appUrl, max: 2 }));
    const sealers = pools.map((pool) =>
      startSealer({
        database: pool,
        signer: signerOf(folder),
        log,
        pollMs: 20,
        checkpointAfterMs: 60_000,
        witnessFolder: path.join(folder, 'w'),
      }),
    );
    let stopped = 0;
    t.teardown(async () => {
      for (const sealer of sealers) await sealer.stop();
      for (const pool of pools) await pool.close();
    });
    const sealed = (wanted: number) =>
      eventually(
        () => count(organisation, 'audit_seals'),
        (now) => now === wanted,
      );
    await append(database, organisation, 30);
    await sealed(30);
    await inDatabase(appUrl, 'superuser', (client) =>
      client.query(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() AND usename = 'switchboard_app'",
      ),
    );
    await eventually(
      () =>
        append(database, organisation, 30).then(
          () => true,
          () => false,
        ),
      Boolean,
    );
    await sealed(60);
    await sealers[0]?.stop();
    stopped += 1;
    await append(database, organisation, 30);
    await sealed(90);
    t.is(stopped, 1);
    t.is((await verdict(database, organisation, folder)).verified.unsigned > 0, true);
    await sealers[1]?.stop();
    const { findings, verified } = await verdict(database, organisation, folder, {
      witnessFolder: path.join(folder, 'w'),
    });
    t.deepEqual(findings, []);
    t.like(verified, { entries: 90, unsigned: 0, pending: 0 });
  },
);
